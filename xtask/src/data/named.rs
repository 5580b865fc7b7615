//! Which texts of a code page may name an implementation: those that say how it is known, and those that say what to do.
//!
//! A name in a sentence is a claim about software, which changes. So a text of a code names an implementation only where
//! `codes.toml` says how that is known: in a statement (`seen`, `note`) whose evidence has a date, that is, one that was read,
//! measured or reported. What a standard says holds for no implementation by itself.
//!
//! A fix is an instruction, not a claim: it may name the product whose setting the reader changes. What that product does
//! without it stands in a statement.
//!
//! Vendors of codes (`vendors/`: Discord, Centrifugo) are no implementations here: their lists have sources of their own.

use std::collections::BTreeSet;

use super::model::{Data, Entry, EntryText};

/// A text that names what it has no evidence of, in words. `place` is the file.
pub(super) fn problems(data: &Data, place: &str, entry: &Entry, text: &EntryText) -> Vec<String> {
    let names = implementations(data);
    let dated: BTreeSet<String> = [("seen", &entry.seen), ("note", &entry.note)]
        .into_iter()
        .flat_map(|(list, items)| items.iter().map(move |item| (list, item)))
        .filter(|(_, item)| item.date.is_some())
        .map(|(list, item)| format!("{list}.{}", item.id))
        .collect();
    let texts = text.texts();
    let undated = texts
        .iter()
        .filter(|(key, _)| !key.starts_with("fix.") && !dated.contains(key));
    undated
        .flat_map(|(key, text)| {
            let named = names.iter().filter(|name| names_it(text, name));
            named.map(move |name| {
                format!(
                    "{place}: {}.{key}: names {name} without evidence: move that to a statement \
                     which was read, measured or reported",
                    entry.key()
                )
            })
        })
        .collect()
}

/// What the reference knows implementations by, and what sentences call them.
fn implementations(data: &Data) -> BTreeSet<&str> {
    let rows = data.measured.iter().chain(&data.read);
    let spelled = data.facts.implementations.iter().map(String::as_str);
    rows.map(|row| row.name.as_str()).chain(spelled).collect()
}

/// Whether a name stands in a text as a word: `ws` is not in `wss`, nor in `ws://`.
fn names_it(text: &str, name: &str) -> bool {
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || "-_/:.".contains(c);
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut behind = text[at + name.len()..].chars();
        let (next, later) = (behind.next(), behind.next());
        // A full stop, or a colon, ends a sentence unless something follows it at once.
        let goes_on = |c: char| match c {
            '.' | ':' => later.is_some_and(part_of_word),
            _ => part_of_word(c),
        };
        !before.is_some_and(part_of_word) && !next.is_some_and(goes_on)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the check says of 1015 with one text of it replaced.
    fn said_of_1015(change: impl FnOnce(&mut EntryText)) -> Vec<String> {
        let mut data = Data::read(&crate::root().join("crates/revoir-codes/data")).unwrap();
        let bodies = data.locales[0].bodies.as_mut().unwrap();
        let mut text = bodies.entries.remove("1015").unwrap();
        change(&mut text);
        let entry = data.facts.entries().find(|entry| entry.key() == "1015");
        problems(&data, "en/codes.toml", entry.unwrap(), &text)
    }

    #[test]
    fn a_name_needs_evidence_but_in_a_fix() {
        let claim = "Firefox and nginx report it.";
        assert_eq!(said_of_1015(|_| {}), Vec::<String>::new());
        let found = said_of_1015(|text| text.meaning = claim.to_owned());
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("en/codes.toml: 1015.meaning: names Firefox without"));
        let standard = |text: &mut EntryText| {
            text.note.insert("rarely-visible".into(), claim.into());
        };
        assert_eq!(said_of_1015(standard).len(), 2);
        let measured = |text: &mut EntryText| {
            text.note.insert("firefox-shows".into(), claim.into());
        };
        assert_eq!(said_of_1015(measured), Vec::<String>::new());
        let fix = |text: &mut EntryText| {
            text.fix.insert("clock".into(), claim.into());
        };
        assert_eq!(said_of_1015(fix), Vec::<String>::new());
    }

    #[test]
    fn a_name_is_a_word() {
        assert!(names_it("ws and undici", "ws"));
        assert!(names_it("Firefox 会报告", "Firefox"));
        assert!(names_it("not in Firefox.", "Firefox"));
        assert!(names_it("Firefox: 1015", "Firefox"));
        assert!(!names_it("wss and `ws://` and news", "ws"));
        assert!(!names_it("faye-websocket", "websocket"));
    }
}
