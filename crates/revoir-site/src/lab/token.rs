//! [`Token`]: what a page calls its connection.

use serde::Deserialize;

/// What a page calls its connection: 128 random bits, so that nobody else can ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Token(u128);

impl Token {
    /// 32 hexadecimal digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| u128::from_str_radix(text, 16).ok().map(Self))?
    }
}

/// `?token=…`
#[derive(Deserialize)]
pub(super) struct TokenQuery {
    #[serde(default)]
    pub(super) token: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_128_bits() {
        assert!(Token::parse("00112233445566778899aabbccddeeff").is_some());
        for wrong in [
            "",
            "1",
            "+0112233445566778899aabbccddeeff",
            "00112233445566778899aabbccddeeff0",
        ] {
            assert_eq!(Token::parse(wrong), None, "{wrong}");
        }
    }
}
