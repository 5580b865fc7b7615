//! Subprotocols (RFC 6455 section 1.9): names that the client offers and the server chooses from.

use super::error::HandshakeError;
use crate::token_list::{elements, is_token};

/// How many subprotocols a client may offer. Each is compared with all before it, so a number
/// that is bound by the length of the head alone would cost the square of it.
pub const OFFERED_SUBPROTOCOLS_MAX: usize = 64;

/// The subprotocols of all Sec-WebSocket-Protocol lines, by the client's preference.
///
/// RFC 6455 section 4.1 item 10: tokens, all different.
pub(super) fn offered<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<String>, HandshakeError> {
    let mut offered: Vec<String> = Vec::new();
    for element in elements(lines) {
        let name = String::from_utf8_lossy(element);
        if !is_token(element) || offered.iter().any(|earlier| *earlier == name) {
            return Err(HandshakeError::SubprotocolInvalid {
                got: name.into_owned(),
            });
        }
        if offered.len() == OFFERED_SUBPROTOCOLS_MAX {
            return Err(HandshakeError::TooManySubprotocols {
                limit: OFFERED_SUBPROTOCOLS_MAX,
            });
        }
        offered.push(name.into_owned());
    }
    Ok(offered)
}

/// The first of the server's `supported` subprotocols that is among the `offered` ones. Names
/// compare with regard to case.
pub(super) fn choose<'a>(supported: &'a [String], offered: &[String]) -> Option<&'a str> {
    supported
        .iter()
        .find(|name| offered.contains(name))
        .map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn server_preference_decides() {
        let supported = list(&["v2", "v1"]);
        assert_eq!(choose(&supported, &list(&["v1", "v2"])), Some("v2"));
        assert_eq!(choose(&supported, &list(&["V2", "v1"])), Some("v1"));
        assert_eq!(choose(&supported, &list(&["v3"])), None);
    }

    #[test]
    fn repeated_or_malformed_names_are_refused() {
        let read = |line: &'static str| offered([line.as_bytes()].into_iter());
        assert_eq!(read("a, b"), Ok(list(&["a", "b"])));
        let invalid = |got: &str| Err(HandshakeError::SubprotocolInvalid { got: got.into() });
        assert_eq!(read("a, b, a"), invalid("a"));
        assert_eq!(read("a b"), invalid("a b"));
    }
}
