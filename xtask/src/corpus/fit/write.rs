//! Changed weights in causes.toml, in whose lines nothing else changes.

use anyhow::{Context, ensure};

use super::weights::{Change, Of};

/// Writes changes into causes.toml.
///
/// # Errors
///
/// A change has no line there: nothing is written.
pub(super) fn into_causes(changes: &[Change]) -> anyhow::Result<()> {
    let path = crate::root().join("crates/revoir-codes/data/causes.toml");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let (text, lost) = changed(&text, changes);
    ensure!(
        lost.is_empty(),
        "causes.toml has no line for {}: write it there with the weight it has now, then fit again",
        lost.join(", ")
    );
    std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))
}

/// The text with these changes, and those that have no place in it.
fn changed(text: &str, changes: &[Change]) -> (String, Vec<String>) {
    let mut cause = "";
    let mut out = String::with_capacity(text.len());
    let mut lost: Vec<&Change> = changes.iter().collect();
    for line in text.split_inclusive('\n') {
        if let Some(id) = line.strip_prefix("id = \"") {
            cause = id.trim_end().trim_end_matches('"');
        }
        let own = changes.iter().filter(|change| change.cause == cause);
        let line = own.fold(line.to_owned(), |before, change| {
            let line = in_line(&before, change);
            if line != before {
                lost.retain(|other| !std::ptr::eq(*other, change));
            }
            line
        });
        out.push_str(&line);
    }
    let name = |change: &&Change| {
        let (name, _) = named(&change.of);
        format!("{name} of {} (now {})", change.cause, change.from)
    };
    (out, lost.iter().map(name).collect())
}

/// What a weight is called, and how its line begins.
fn named(of: &Of) -> (&str, String) {
    match of {
        Of::Prior => ("prior", "prior = ".to_owned()),
        Of::Sign(sign) => (sign, format!("{sign} = ")),
        Of::Codes(codes) => (codes, "codes = ".to_owned()),
    }
}

fn in_line(line: &str, change: &Change) -> String {
    let (name, begin) = named(&change.of);
    let value = |value: i16| format!("{name} = {value}");
    match line.starts_with(&begin) {
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
        let (out, lost) = changed(text, &changes);
        assert!(lost.is_empty(), "{lost:?}");
        assert_eq!(
            out,
            "[[cause]]\nid = \"a\"\nprior = 3\ncodes = { 1006 = 0, 1002 = 6 }\nfin = -1 # why\n[[cause]]\nid = \"b\"\nfin = 2\n"
        );
        let lost = changed(text, &[change(Of::Codes("1005".to_owned()), 0, 4)]).1;
        assert_eq!(lost, ["1005 of a (now 0)"]);
    }
}
