//! [`Agreement`]: what the two opening handshakes agree on, and what a re-dial has to agree on
//! again.

use revoir_proto::extension::deflate::{DeflateError, PERMESSAGE_DEFLATE};
use revoir_proto::extension::{Extension, ExtensionError};

use crate::rules::Mode;

const SERVER_ALONE: &str = "server_no_context_takeover";
const CLIENT_ALONE: &str = "client_no_context_takeover";
const SERVER_WINDOW: &str = "server_max_window_bits";
const CLIENT_WINDOW: &str = "client_max_window_bits";

/// The extensions and the subprotocol of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) subprotocol: Option<Box<str>>,
    /// The value of Sec-WebSocket-Extensions that the client was answered with.
    pub(crate) extensions: Option<Box<str>>,
}

impl Agreement {
    /// Whether every message means the same on a new connection.
    pub(crate) fn stands_alone(&self) -> bool {
        let Some(extensions) = self.extensions.as_deref() else {
            return true;
        };
        let has = |name| extensions.split(';').any(|param| param.trim() == name);
        has(SERVER_ALONE) && has(CLIENT_ALONE)
    }
}

/// The part of a client's offer that is passed on. Only permessage-deflate is: what another
/// extension does to frames is not known here.
///
/// In `hold` a compressed message has to mean the same on a new connection, so each one stands
/// alone: neither side may refer to an earlier message (RFC 7692 section 7.1.1). In `auto` nobody
/// knows yet whether the client may be held: the offer is the client's own, as without a gateway, and
/// a backend whose clients may be held answers with both parameters, which needs no offer (RFC 7692
/// sections 7.1.1.1 and 7.1.1.2).
///
/// Where an adapter may look at the messages (`may_be_seen`), messages that stand alone are asked for first,
/// and the client's own offer follows for a backend that has no such.
pub(crate) fn offer(mode: Mode, may_be_seen: bool, offers: &[Extension]) -> Option<String> {
    let mut known = offers
        .iter()
        .filter(|offer| offer.name() == PERMESSAGE_DEFLATE);
    match mode {
        Mode::Auto | Mode::Tunnel => {
            let known: Vec<Extension> = known.cloned().collect();
            let own = (!known.is_empty()).then(|| Extension::write_list(&known))?;
            match may_be_seen {
                true => Some(format!("{}, {own}", alone(None))),
                false => Some(own),
            }
        }
        Mode::Hold => {
            let window = known
                .next()?
                .params()
                .iter()
                .find(|p| p.name() == SERVER_WINDOW);
            Some(alone(window.and_then(|window| window.value())))
        }
    }
}

/// What the client is answered, given that the backend answered `answer` to `offered`.
///
/// # Errors
///
/// The rule that the backend's answer breaks.
pub(crate) fn accept(
    mode: Mode,
    offered: Option<&str>,
    answer: &[Extension],
) -> Result<Option<String>, ExtensionError> {
    let Some(first) = answer.first() else {
        return Ok(None);
    };
    let name = first.name().to_owned();
    if offered.is_none() || name != PERMESSAGE_DEFLATE {
        return Err(ExtensionError::NotOffered { name });
    }
    if answer.len() > 1 {
        return Err(ExtensionError::Duplicate { name });
    }
    if matches!(mode, Mode::Auto | Mode::Tunnel) {
        return Ok(Some(Extension::write_list(answer)));
    }
    let has = |name| first.params().iter().any(|param| param.name() == name);
    if !has(SERVER_ALONE) {
        // RFC 7692 section 7.1.1.1: a server that accepts the offer says so.
        let name = SERVER_ALONE;
        return Err(ExtensionError::Deflate(DeflateError::NotAnswered { name }));
    }
    if has(CLIENT_WINDOW) {
        // RFC 7692 section 7.1.2.2: not without an offer.
        let name = CLIENT_WINDOW.to_owned();
        return Err(ExtensionError::Deflate(DeflateError::UnknownParameter {
            name,
        }));
    }
    let window = first
        .params()
        .iter()
        .find(|param| param.name() == SERVER_WINDOW);
    Ok(Some(alone(window.and_then(|window| window.value()))))
}

/// permessage-deflate whose messages stand alone.
fn alone(server_window: Option<&str>) -> String {
    let mut text = format!("{PERMESSAGE_DEFLATE}; {SERVER_ALONE}; {CLIENT_ALONE}");
    if let Some(bits) = server_window {
        text.push_str("; ");
        text.push_str(SERVER_WINDOW);
        text.push('=');
        text.push_str(bits);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(list: &str) -> Vec<Extension> {
        Extension::parse_lines([list.as_bytes()]).unwrap()
    }

    #[test]
    fn a_tunnel_passes_permessage_deflate_as_it_is_and_nothing_else() {
        let offers =
            parsed("x-other, permessage-deflate; client_max_window_bits, permessage-deflate");
        let offer = offer(Mode::Tunnel, false, &offers);
        let expected = "permessage-deflate; client_max_window_bits, permessage-deflate";
        assert_eq!(offer.as_deref(), Some(expected));
        let answer = parsed("permessage-deflate; client_max_window_bits=10");
        let accepted = accept(Mode::Tunnel, offer.as_deref(), &answer);
        assert_eq!(
            accepted,
            Ok(Some(
                "permessage-deflate; client_max_window_bits=10".to_owned()
            ))
        );
        assert!(accept(Mode::Tunnel, None, &answer).is_err());
        assert!(accept(Mode::Tunnel, Some(expected), &parsed("x-other")).is_err());
    }

    #[test]
    fn in_auto_the_offer_is_the_clients_and_the_answer_says_whether_messages_stand_alone() {
        let offered = "permessage-deflate; client_max_window_bits";
        let offer = offer(Mode::Auto, false, &parsed(offered));
        assert_eq!(offer.as_deref(), Some(offered));
        for (answer, stands_alone) in [
            ("permessage-deflate", false),
            ("permessage-deflate; server_no_context_takeover", false),
            ("permessage-deflate; client_no_context_takeover", false),
            (
                "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
                true,
            ),
        ] {
            let accepted = accept(Mode::Auto, offer.as_deref(), &parsed(answer)).unwrap();
            assert_eq!(accepted.as_deref(), Some(answer));
            let agreement = Agreement {
                subprotocol: None,
                extensions: accepted.map(Into::into),
            };
            assert_eq!(agreement.stands_alone(), stands_alone, "{answer}");
        }
        assert!(Agreement::default().stands_alone());
        let seen = super::offer(Mode::Auto, true, &parsed(offered));
        let alone = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        assert_eq!(seen, Some(format!("{alone}, {offered}")));
    }

    #[test]
    fn in_hold_every_message_stands_alone() {
        let offers =
            parsed("permessage-deflate; client_max_window_bits; server_max_window_bits=12");
        let offer = offer(Mode::Hold, false, &offers);
        let expected = "permessage-deflate; server_no_context_takeover; \
                        client_no_context_takeover; server_max_window_bits=12";
        assert_eq!(offer.as_deref(), Some(expected));
        let accepted = |answer: &str| accept(Mode::Hold, offer.as_deref(), &parsed(answer));
        assert_eq!(
            accepted("permessage-deflate; server_no_context_takeover"),
            Ok(Some(
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
                    .to_owned()
            ))
        );
        assert_eq!(accepted(expected), Ok(Some(expected.to_owned())));
        assert!(accepted("permessage-deflate").is_err());
        assert!(
            accepted("permessage-deflate; server_no_context_takeover; client_max_window_bits=9")
                .is_err()
        );
        assert_eq!(accept(Mode::Hold, offer.as_deref(), &[]), Ok(None));
    }

    #[test]
    fn without_an_offer_nothing_is_offered() {
        for mode in [Mode::Auto, Mode::Hold, Mode::Tunnel] {
            assert_eq!(offer(mode, false, &[]), None);
            assert_eq!(offer(mode, false, &parsed("x-other; a=b")), None);
        }
    }
}
