//! Plain text of the catalogue as HTML: escaped, `code` marked, registered codes linked.

use revoir_codes::CloseCode;

/// `text` with what HTML would read as markup escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// `text` with a capital at its beginning, where a phrase stands as a sentence.
pub(crate) fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().into_iter().flat_map(char::to_uppercase);
    first.chain(rest.clone()).collect()
}

/// `text` as HTML. What stands in `backticks` becomes code; a registered code becomes the link that `link` names for it, if any.
pub(crate) fn html(text: &str, link: impl Fn(CloseCode) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for (i, part) in text.split('`').enumerate() {
        if i % 2 == 1 {
            out.push_str("<code>");
            out.push_str(&escaped(part));
            out.push_str("</code>");
        } else {
            linked(&mut out, part, &link);
        }
    }
    out
}

/// Appends `text` with a link for every number of four digits for which there is one.
fn linked(out: &mut String, text: &str, link: &impl Fn(CloseCode) -> Option<String>) {
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        out.push_str(&escaped(before));
        let end = from
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        let part_of_a_word = before
            .ends_with(|c: char| c.is_ascii_alphanumeric() || ".-/".contains(c))
            || after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-');
        let target = digits
            .parse()
            .ok()
            .filter(|_| digits.len() == 4 && !part_of_a_word)
            .and_then(|number| link(CloseCode::new(number)));
        match target {
            Some(target) => {
                let target = escaped(&target);
                out.push_str(&format!("<a class=\"n\" href=\"{target}\">{digits}</a>"));
            }
            None => out.push_str(digits),
        }
        rest = after;
    }
    out.push_str(&escaped(rest));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_link(_: CloseCode) -> Option<String> {
        None
    }

    #[test]
    fn a_phrase_becomes_a_sentence() {
        for (phrase, sentence) in [
            ("yes: now", "Yes: now"),
            ("à 3 s", "À 3 s"),
            ("拒收", "拒收"),
            ("", ""),
        ] {
            assert_eq!(capitalized(phrase), sentence);
        }
    }

    #[test]
    fn markup_in_a_text_stays_text() {
        assert_eq!(
            html("<script>\"a\" & 'b'", no_link),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;"
        );
        assert_eq!(
            html("run `ss -l <x>` now", no_link),
            "run <code>ss -l &lt;x&gt;</code> now"
        );
    }

    #[test]
    fn a_code_is_linked_where_it_stands_alone() {
        let link = |code: CloseCode| code.name().map(|_| format!("c/{}", code.get()));
        assert_eq!(
            html("send 1012, not 2012", link),
            "send <a class=\"n\" href=\"c/1012\">1012</a>, not 2012"
        );
        assert_eq!(
            html("在1006之后", link),
            "在<a class=\"n\" href=\"c/1006\">1006</a>之后"
        );
        for text in ["SHA-1000", "10061", "1000-1015", "7.1006", "`1006`"] {
            assert!(!html(text, link).contains("href"), "{text}");
        }
    }
}
