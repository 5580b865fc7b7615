//! [`Target`]: where a URL points to.

use std::error::Error;
use std::fmt;

use url::Url;

/// The parts of a `ws` or `wss` URL (RFC 6455 section 3), as [`Client::connect`](crate::Client::connect)
/// understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// A name in ASCII, or an IP address without brackets.
    pub host: String,
    /// The port, also where it is the scheme's own.
    pub port: u16,
    /// Whether TLS is spoken: the scheme is `wss`.
    pub secure: bool,
    /// The path with the query, which may hold a secret.
    pub resource: String,
}

impl Target {
    /// Takes a URL apart.
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`] if it is not one to connect to.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let syntax = |reason: &str| InvalidUrl::Syntax {
            reason: reason.to_owned(),
        };
        let url = Url::parse(text).map_err(|error| syntax(&error.to_string()))?;
        let secure = match url.scheme() {
            "ws" => false,
            "wss" => true,
            other => {
                let got = other.to_owned();
                return Err(InvalidUrl::Scheme { got });
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidUrl::Userinfo);
        }
        // RFC 6455 section 3: fragments are meaningless, and must not be used.
        if url.fragment().is_some() {
            return Err(InvalidUrl::Fragment);
        }
        let host = url.host_str().ok_or_else(|| syntax("no host"))?;
        let port = url
            .port_or_known_default()
            .ok_or_else(|| syntax("no port"))?;
        let resource = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Ok(Self {
            host: host
                .trim_start_matches('[')
                .trim_end_matches(']')
                .to_owned(),
            port,
            secure,
            resource,
        })
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
            Self::Userinfo => f.write_str(
                "got a url with a user name, expected none; send an Authorization header",
            ),
            Self::Fragment => f.write_str(
                "got a url with a fragment, expected none; leave out # and what follows",
            ),
            Self::NoTls => {
                f.write_str("got a wss url, and TLS is not compiled in; enable the feature rustls")
            }
        }
    }
}

impl Error for InvalidUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, port: u16, secure: bool, resource: &str) -> Result<Target, InvalidUrl> {
        Ok(Target {
            host: host.to_owned(),
            port,
            secure,
            resource: resource.to_owned(),
        })
    }

    #[test]
    fn ports_default_by_scheme_and_paths_to_the_root() {
        assert_eq!(
            Target::parse("ws://a.example"),
            target("a.example", 80, false, "/")
        );
        assert_eq!(
            Target::parse("wss://a.example/b?c=d"),
            target("a.example", 443, true, "/b?c=d")
        );
        assert_eq!(Target::parse("ws://[::1]:9/"), target("::1", 9, false, "/"));
        assert_eq!(
            Target::parse("WS://BÜCHER.example"),
            target("xn--bcher-kva.example", 80, false, "/")
        );
    }

    #[test]
    fn what_is_not_a_websocket_url_is_refused() {
        assert_eq!(Target::parse("ws://u@h/"), Err(InvalidUrl::Userinfo));
        assert_eq!(Target::parse("ws://h/#f"), Err(InvalidUrl::Fragment));
        assert!(matches!(
            Target::parse("http://h/"),
            Err(InvalidUrl::Scheme { .. })
        ));
        for wrong in ["", "ws://", "ws:", "h:80", "/path", "ws://h:99999/"] {
            assert!(Target::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
