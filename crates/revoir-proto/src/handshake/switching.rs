//! [`check_switching_protocols`]: whether a 101 opens the connection that was asked for.

use super::error::HandshakeError;
use super::headers::{Headers, text};
use super::key::accept;
use crate::extension::{Extension, ExtensionError};
use crate::token_list::contains;

/// The checks of RFC 6455 section 4.1 on the header fields of a 101, in its order. `key`: the value
/// of Sec-WebSocket-Key that was sent; `offered`: the subprotocols. `extensions` judges the answer to
/// the extensions that were offered.
///
/// Returns the subprotocol that the server chose, if it did, and what `extensions` made of its answer.
/// [`ClientHandshake`](super::ClientHandshake) does this by itself; it is here for those who have read
/// the answer by other means.
///
/// # Errors
///
/// The first rule that the answer breaks.
pub fn check_switching_protocols<E>(
    headers: &Headers,
    key: &str,
    offered: &[String],
    extensions: impl FnOnce(&[Extension]) -> Result<E, ExtensionError>,
) -> Result<(Option<String>, E), HandshakeError> {
    // 2. Upgrade with the value websocket, in any case, and nothing beside it.
    if !is_upgrade_to_websocket(headers) {
        return Err(HandshakeError::UpgradeMissing {
            got: text(headers, "upgrade"),
        });
    }
    // 3. Connection with the token Upgrade.
    if !contains(headers.get_all("connection"), "upgrade") {
        return Err(HandshakeError::ConnectionMissing {
            got: text(headers, "connection"),
        });
    }
    check_accept(headers, key)?;
    // 5. No extension that was not offered.
    let answer = Extension::parse_lines(headers.get_all("sec-websocket-extensions"))
        .map_err(HandshakeError::ExtensionsMalformed)?;
    let extensions = extensions(&answer).map_err(HandshakeError::Extensions)?;
    let subprotocol = check_subprotocol(headers, offered)?;
    Ok((subprotocol, extensions))
}

/// 4. Sec-WebSocket-Accept is the hash of our key, once.
fn check_accept(headers: &Headers, key: &str) -> Result<(), HandshakeError> {
    let mut values = headers.get_all("sec-websocket-accept");
    let got = values.next().ok_or(HandshakeError::AcceptMissing)?;
    if values.next().is_some() {
        return Err(HandshakeError::AcceptDuplicated);
    }
    let expected = accept(key);
    if got != expected.as_bytes() {
        return Err(HandshakeError::AcceptMismatch {
            got: String::from_utf8_lossy(got).into_owned(),
            expected,
        });
    }
    Ok(())
}

/// 6. The subprotocol, if there is one, was offered. No choice is allowed (section 4.2.2).
fn check_subprotocol(
    headers: &Headers,
    offered: &[String],
) -> Result<Option<String>, HandshakeError> {
    let mut values = headers.get_all("sec-websocket-protocol");
    let Some(got) = values.next() else {
        return Ok(None);
    };
    // 11.3.4: once in a response.
    if values.next().is_some() {
        return Err(HandshakeError::SubprotocolDuplicated);
    }
    match offered.iter().find(|name| name.as_bytes() == got) {
        Some(name) => Ok(Some(name.clone())),
        None => Err(HandshakeError::SubprotocolNotOffered {
            got: String::from_utf8_lossy(got).into_owned(),
        }),
    }
}

/// Whether there is one Upgrade field with nothing but `websocket` in it.
fn is_upgrade_to_websocket(headers: &Headers) -> bool {
    let mut values = headers.get_all("upgrade");
    let first = values.next();
    first.is_some_and(|value| value.eq_ignore_ascii_case(b"websocket")) && values.next().is_none()
}
