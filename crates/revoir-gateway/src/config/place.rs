//! Where a key stands in the text of a file.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A part of a key such as `route[1].hold.planned`.
enum Part<'a> {
    Name(&'a str),
    Index(usize),
}

/// Where the value of `key` begins in `text`, or the closest table or list around it that is there.
pub(super) fn of(text: &str, key: &str) -> usize {
    let Ok(root) = DeTable::parse(text) else {
        return 0;
    };
    let mut parts = parts(key).into_iter();
    let Some(Part::Name(name)) = parts.next() else {
        return 0;
    };
    let Some((at, value)) = entry(root.get_ref(), name) else {
        return 0;
    };
    let mut start = start(at, value);
    let mut value = value;
    for part in parts {
        let next = match (part, value.get_ref()) {
            (Part::Name(name), DeValue::Table(table)) => {
                entry(table, name).map(|(at, value)| (self::start(at, value), value))
            }
            (Part::Index(index), DeValue::Array(list)) => {
                list.get(index).map(|value| (value.span().start, value))
            }
            _ => None,
        };
        let Some((there, inner)) = next else {
            break;
        };
        (start, value) = (there, inner);
    }
    start
}

fn entry<'a, 'i>(
    table: &'a DeTable<'i>,
    name: &str,
) -> Option<(
    &'a Spanned<std::borrow::Cow<'i, str>>,
    &'a Spanned<DeValue<'i>>,
)> {
    table.iter().find(|(key, _)| key.get_ref() == name)
}

/// A table under a header of its own, and one that is only part of a dotted key, begins at its name.
pub(super) fn start(
    key: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
) -> usize {
    match value.get_ref() {
        DeValue::Table(_) if value.span().start < key.span().start => value.span().start,
        DeValue::Table(_) if value.span().is_empty() => key.span().start,
        _ => value.span().start,
    }
}

fn parts(key: &str) -> Vec<Part<'_>> {
    let mut all = Vec::new();
    for name in key.split('.') {
        let mut pieces = name.split('[');
        all.extend(pieces.next().map(Part::Name));
        let indices = pieces.filter_map(|piece| piece.strip_suffix(']')?.parse().ok());
        all.extend(indices.map(Part::Index));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_where_its_value_stands() {
        let text = "listen = [\"a\", \"b\"]\n[limits]\nsockets = 3\n[[route]]\n[[route]]\n\
                    hold = { lost = \"1s\" }\nupstreams = [\n  \"x\",\n  \"y\",\n]\n[route.auth]\nurl = 'u'\n";
        for (key, expected) in [
            ("listen", "[\"a\", \"b\"]"),
            ("listen[1]", "\"b\"]"),
            ("limits.sockets", "3\n"),
            ("limits.connections", "[limits]"),
            ("route[0].path", "[[route]]\n[[route]]"),
            ("route[1].path", "[[route]]\nhold"),
            ("route[1].hold.lost", "\"1s\""),
            ("route[1].hold.queue", "{ lost"),
            ("route[1].upstreams[1]", "\"y\""),
            ("route[1].auth.url", "'u'"),
            ("route[1].auth.ca", "[route.auth]"),
            ("drain.time", "listen"),
        ] {
            let found = &text[of(text, key)..];
            assert!(found.starts_with(expected), "{key}: {found}");
        }
    }
}
