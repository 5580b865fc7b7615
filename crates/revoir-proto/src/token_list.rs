//! Tokens and comma-separated lists of them (RFC 9110 sections 5.6.1 and 5.6.2).

/// Whether `byte` may stand in a token.
pub(crate) const fn is_tchar(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`'
            | b'|' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'
    )
}

/// Whether `bytes` is a token: at least one character, all of them allowed.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_tchar(*byte))
}

/// The elements of a list header, over all its lines, without the whitespace around them. Empty
/// elements are skipped (RFC 9110 section 5.6.1.2).
pub(crate) fn elements<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
) -> impl Iterator<Item = &'a [u8]> {
    lines
        .flat_map(|line| line.split(|byte| *byte == b','))
        .map(trim)
        .filter(|element| !element.is_empty())
}

/// Whether a list header has `token` as an element, in any case.
pub(crate) fn contains<'a>(lines: impl Iterator<Item = &'a [u8]>, token: &str) -> bool {
    elements(lines).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
}

/// `value` without spaces and tabs at its ends.
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = value.iter().position(is_text).unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(is_text)
        .map_or(start, |last| last + 1);
    &value[start..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_over_several_lines_is_one_list() {
        let lines = || [b"keep-alive,\t" as &[u8], b", Upgrade ,, x"].into_iter();
        let list: Vec<_> = elements(lines()).collect();
        assert_eq!(list, [b"keep-alive" as &[u8], b"Upgrade", b"x"]);
        assert!(contains(lines(), "upgrade"));
        assert!(!contains(lines(), "up"));
    }

    #[test]
    fn separators_and_controls_are_no_token_characters() {
        let allowed = (0..=u8::MAX).filter(|byte| is_tchar(*byte)).count();
        assert_eq!(allowed, 77);
        for byte in b"\"(),/:;<=>?@[\\]{} \t\r\n\0\x7f\x80" {
            assert!(!is_tchar(*byte), "{byte:#04x}");
        }
        assert!(!is_token(b""));
    }
}
