//! [`ConnectError`]: why there is no connection.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use revoir_proto::handshake::InvalidRequest;
use revoir_proto::{Cause, DetailKind, Ending};

use crate::client::{InvalidProxy, InvalidUrl};

/// Why a client got no connection: the caller's mistake, found before anything was sent, or an
/// [`Ending`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is not one to connect to.
    Url(InvalidUrl),
    /// The proxy is not one to go through.
    Proxy(InvalidProxy),
    /// A header, subprotocol or origin that must not be sent.
    Request(InvalidRequest),
    /// The connection never opened. [`Ending::cause`] says how far it came, and
    /// [`Ending::response`] what a server answered that refused.
    Ended(Arc<Ending>),
}

impl ConnectError {
    /// The ending, unless the mistake was the caller's.
    #[must_use]
    pub fn ending(&self) -> Option<&Arc<Ending>> {
        match self {
            Self::Ended(ending) => Some(ending),
            Self::Url(_) | Self::Proxy(_) | Self::Request(_) => None,
        }
    }

    /// Whose affair it is that the connection never opened, and what to do about it, in English; the
    /// end of what `Display` says. `None` if the mistake was the caller's.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        self.ending().and_then(|ending| way_out(ending))
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Proxy(error) => error.fmt(f),
            Self::Request(error) => error.fmt(f),
            Self::Ended(ending) => {
                ending.fmt(f)?;
                match self.advice() {
                    Some(tip) => write!(f, "; {tip}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Url(error) => Some(error),
            Self::Proxy(error) => Some(error),
            Self::Request(error) => Some(error),
            Self::Ended(ending) => Some(&**ending),
        }
    }
}

impl From<InvalidUrl> for ConnectError {
    fn from(error: InvalidUrl) -> Self {
        Self::Url(error)
    }
}

/// For those who have a [`Target`](crate::client::Target) already.
impl From<Infallible> for ConnectError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl From<InvalidProxy> for ConnectError {
    fn from(error: InvalidProxy) -> Self {
        Self::Proxy(error)
    }
}

impl From<InvalidRequest> for ConnectError {
    fn from(error: InvalidRequest) -> Self {
        Self::Request(error)
    }
}

impl From<Ending> for ConnectError {
    fn from(ending: Ending) -> Self {
        Self::Ended(Arc::new(ending))
    }
}

/// Whose affair it is that the connection never opened, and what to do about it.
fn way_out(ending: &Ending) -> Option<&'static str> {
    match ending.detail.kind() {
        Some(DetailKind::Proxy) => {
            return Some(way_past_proxy(ending));
        }
        Some(DetailKind::Tls(fault)) => return Some(fault.advice()),
        _ => {}
    }
    Some(match ending.cause {
        Cause::Dns => "check the host in the url, and that this machine can resolve names",
        Cause::Refused => "the host is there and nobody listens: check the port and the server",
        Cause::Unreachable => "this machine has no way to the host: check its network and firewall",
        Cause::ConnectTimeout => {
            "the host is down or a firewall drops the packets: check the address, or allow more time"
        }
        Cause::TlsFailed => "check the server's certificate, or whom the client trusts",
        Cause::HandshakeRejected => refused(ending.response.as_ref().map_or(0, |it| it.status)),
        Cause::HandshakeInvalid => {
            "it is the server's mistake, or there is no WebSocket server at this url"
        }
        Cause::HandshakeEof | Cause::HandshakeReset => {
            "the server gave up: its log may say why, or it expects wss in place of ws"
        }
        Cause::HandshakeTimeout => {
            "the server took TCP and said nothing: it is busy, or it expects wss in place of ws"
        }
        _ => return None,
    })
}

/// What to do about a proxy that opens no tunnel, by its status if it gave one.
fn way_past_proxy(ending: &Ending) -> &'static str {
    let status = ending.response.as_ref().map(|response| response.status);
    match (status, ending.cause) {
        (Some(407), _) => "the proxy wants credentials: put them into its url",
        (Some(502..=504), _) => {
            "the proxy cannot reach the server: check the host and port of the url, or ask who runs \
             the proxy"
        }
        (Some(400..=499), _) => {
            "the proxy does not allow it: ask who runs the proxy, or go without it (no_proxy)"
        }
        (None, Cause::HandshakeRejected) => {
            "the proxy does not allow it, or wants other credentials: put them into its url, ask who \
             runs the proxy, or go without it (no_proxy)"
        }
        (None, Cause::Refused | Cause::Unreachable | Cause::ConnectTimeout) => {
            "the proxy was not reached, or did not reach the server: check both addresses, or go \
             without it (no_proxy)"
        }
        (None, Cause::HandshakeEof | Cause::HandshakeReset) => {
            "no tunnel was opened: there may be no proxy at this address, or it does not allow it, or \
             does not reach the server; try the same with curl -v -x, or go without it (no_proxy)"
        }
        _ => "it is the proxy, not the server: check its address, or go without it (no_proxy)",
    }
}

/// What an HTTP status asks of the client.
const fn refused(status: u16) -> &'static str {
    match status {
        200..=299 => "that is an ordinary page: check the path of the url",
        300..=399 => "redirects are not followed: use the url in its Location field",
        401 => "the server wants credentials: send an Authorization header",
        403 => "the server forbids it: check the credentials and the Origin",
        404 => "there is nothing at the path of the url",
        407 => "a proxy in between wants credentials: give its url to the client",
        408 | 425 | 429 | 503 => "the server is busy or restarting: try again later",
        400..=499 => "the server does not accept the request: its answer may say why",
        500..=599 => "the server, or one behind it, has failed: its log may say why",
        _ => "the server's answer may say why",
    }
}

#[cfg(test)]
mod tests {
    use revoir_proto::Detail;
    use revoir_proto::handshake::{Headers, Refused};

    use super::*;

    #[test]
    fn every_failure_to_open_names_a_way_out() {
        for cause in Cause::ALL.iter().copied().filter(|cause| !cause.was_open()) {
            let ending = Ending::never_opened(cause, Detail::None);
            let sentence = ending.to_string();
            let error = ConnectError::from(ending).to_string();
            let tip = error.strip_prefix(&sentence).unwrap();
            assert!(tip.starts_with("; ") && tip.len() > 20, "{error}");
        }
    }

    #[test]
    fn a_refusal_is_explained_by_its_status() {
        let text = |status| {
            let ending = Ending::from(Refused::new(status, Headers::new()));
            ConnectError::from(ending).to_string()
        };
        assert!(text(401).ends_with("the server wants credentials: send an Authorization header"));
        assert!(text(407).contains("proxy"));
        assert!(text(302).contains("Location"));
        assert!(text(503).contains("try again later"));
    }
}
