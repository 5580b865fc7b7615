//! What the reader of a file says is wrong, in the words of whoever wrote it.

/// `message` without the names that types have in Rust.
pub(super) fn plain(message: &str) -> String {
    let found = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "));
    let Some((got, expected)) = found.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    format!("expected {}, not {}", of_expected(expected), of_found(got))
}

fn of_expected(expected: &str) -> String {
    let is_nonzero = expected.contains("nonzero") || expected.contains("NonZero");
    let text = match expected.trim_start_matches("a nonzero ") {
        "a string" | "a borrowed string" | "string" | "str" | "a character" => "a text in quotes",
        "a boolean" | "bool" => "true or false",
        "a sequence" | "sequence" => "a list, such as [\"a\", \"b\"]",
        "a map" | "map" | "a table" => "a table, such as { key = \"value\" }",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize"
            if is_nonzero =>
        {
            "a whole number, 1 or more"
        }
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u8" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "string or table" => "a text in quotes or a table",
        other if other.starts_with("struct ") => "a table, such as { key = \"value\" }",
        other => other,
    };
    text.to_owned()
}

fn of_found(found: &str) -> String {
    let (kind, value) = match found.split_once(['`', '"']) {
        Some((kind, value)) => (kind.trim(), value.trim_end_matches(['`', '"'])),
        None => (found, ""),
    };
    match kind {
        "integer" | "floating point" => format!("the number {value}"),
        "string" => format!("the text \"{value}\""),
        "boolean" => value.to_owned(),
        "sequence" => "a list".to_owned(),
        "map" => "a table".to_owned(),
        _ => found.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_type_of_rust_is_named() {
        for (message, expected) in [
            (
                "invalid type: integer `5`, expected a borrowed string",
                "expected a text in quotes, not the number 5",
            ),
            (
                "invalid type: string \"a, expected b\", expected u32",
                "expected a whole number from 0 to 4294967295, not the text \"a, expected b\"",
            ),
            (
                "invalid value: integer `-1`, expected u64",
                "expected a whole number, 0 or more, not the number -1",
            ),
            (
                "invalid value: integer `0`, expected a nonzero u32",
                "expected a whole number, 1 or more, not the number 0",
            ),
            (
                "invalid type: boolean `true`, expected a sequence",
                "expected a list, such as [\"a\", \"b\"], not true",
            ),
            (
                "invalid type: map, expected struct AdminConfig",
                "expected a table, such as { key = \"value\" }, not a table",
            ),
            ("missing field `url`", "missing field `url`"),
        ] {
            assert_eq!(plain(message), expected, "{message}");
        }
    }
}
