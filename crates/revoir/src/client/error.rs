//! [`ConnectError`]: why there is no connection.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use revoir_proto::Ending;
use revoir_proto::handshake::InvalidRequest;

use crate::client::InvalidProxy;

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
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Proxy(error) => error.fmt(f),
            Self::Request(error) => error.fmt(f),
            Self::Ended(ending) => ending.fmt(f),
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

/// A URL that is not one to connect to (RFC 6455 section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// It is not a URL with a host.
    Syntax {
        /// What is wrong with it.
        reason: String,
    },
    /// Its scheme is neither `ws` nor `wss`.
    Scheme {
        /// The scheme.
        got: String,
    },
    /// It has a user name or a password. Send an Authorization header instead.
    Userinfo,
    /// It has a fragment, which means nothing here.
    Fragment,
    /// It is a `wss` URL, and TLS is not compiled in (feature `rustls`).
    NoTls,
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { reason } => write!(f, "invalid url: {reason}"),
            Self::Scheme { got } => write!(f, "got scheme {got:?}, expected ws or wss"),
            Self::Userinfo => f.write_str("got a url with a user name, expected none"),
            Self::Fragment => f.write_str("got a url with a fragment, expected none"),
            Self::NoTls => f.write_str("got a wss url, and TLS is not compiled in"),
        }
    }
}

impl Error for InvalidUrl {}
