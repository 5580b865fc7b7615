//! Changed weights in causes.toml, in whose lines nothing else changes.

use anyhow::Context;

use super::weights::{Change, Of};

/// Writes changes into causes.toml.
pub(super) fn into_causes(changes: &[Change]) -> anyhow::Result<()> {
    let path = crate::root().join("crates/revoir-codes/data/causes.toml");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    std::fs::write(&path, changed(&text, changes))
        .with_context(|| format!("write {}", path.display()))
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut cause = "";
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if let Some(id) = line.strip_prefix("id = \"") {
            cause = id.trim_end().trim_end_matches('"');
        }
        let own = changes.iter().filter(|change| change.cause == cause);
        let line = own.fold(line.to_owned(), |line, change| in_line(&line, change));
        out.push_str(&line);
    }
    out
}

fn in_line(line: &str, change: &Change) -> String {
    let (name, is_there) = match &change.of {
        Of::Prior => ("prior", line.starts_with("prior = ")),
        Of::Sign(sign) => (sign.as_str(), line.starts_with(&format!("{sign} = "))),
        Of::Codes(codes) => (codes.as_str(), line.starts_with("codes = ")),
    };
    let value = |value: i16| format!("{name} = {value}");
    match is_there {
        true => line.replacen(&value(change.from), &value(change.to), 1),
        false => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_weights_of_the_cause_change() {
        let text = "[[cause]]\nid = \"a\"\nprior = 1\ncodes = { 1006 = 0, 1002 = 5 }\nfin = 2 # why\n[[cause]]\nid = \"b\"\nfin = 2\n";
        let change = |of, from, to| Change {
            cause: "a".to_owned(),
            of,
            from,
            to,
        };
        let changes = [
            change(Of::Prior, 1, 3),
            change(Of::Codes("1002".to_owned()), 5, 6),
            change(Of::Sign("fin".to_owned()), 2, -1),
        ];
        let out = changed(text, &changes);
        assert_eq!(
            out,
            "[[cause]]\nid = \"a\"\nprior = 3\ncodes = { 1006 = 0, 1002 = 6 }\nfin = -1 # why\n[[cause]]\nid = \"b\"\nfin = 2\n"
        );
    }
}
