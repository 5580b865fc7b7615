//! [`Target`]: where a URL points to.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::net::Ipv6Addr;

use http::Uri;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

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
    /// Takes a URL apart. What may not stand in a request line is percent-encoded; a host in another
    /// script becomes its ASCII form (feature `idn`).
    ///
    /// # Errors
    ///
    /// [`InvalidUrl`] if it is not one to connect to.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let Some((scheme, rest)) = text.trim().split_once("://") else {
            return Err(syntax("no scheme with ://".to_owned()));
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "ws" => false,
            "wss" => true,
            other => {
                let got = other.to_owned();
                return Err(InvalidUrl::Scheme { got });
            }
        };
        // RFC 6455 section 3: fragments are meaningless, and must not be used.
        if rest.contains('#') {
            return Err(InvalidUrl::Fragment);
        }
        let (authority, resource) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(InvalidUrl::Userinfo);
        }
        let (host, port) = host_and_port(authority).map_err(syntax)?;
        let slash = if resource.starts_with('/') { "" } else { "/" };
        Ok(Self {
            host,
            port: port.unwrap_or(if secure { 443 } else { 80 }),
            secure,
            resource: format!("{slash}{}", utf8_percent_encode(resource, ENCODED)),
        })
    }
}

/// What a browser encodes in a path, and what `http` takes for no part of a URI.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'|')
    .add(b'^')
    .add(b'\\');

fn syntax(reason: String) -> InvalidUrl {
    InvalidUrl::Syntax { reason }
}

/// The host, in ASCII and without brackets, and the port if one is given.
pub(super) fn host_and_port(authority: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else {
            return Err("a bracket is not closed".to_owned());
        };
        if address.parse::<Ipv6Addr>().is_err() {
            return Err(format!("{address:?} is no IPv6 address"));
        }
        let port = match port.strip_prefix(':') {
            None if !port.is_empty() => return Err("something follows the bracket".to_owned()),
            port => port.unwrap_or_default(),
        };
        (address.to_ascii_lowercase(), port)
    } else {
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        (name(host)?, port)
    };
    let port = match port {
        "" => None,
        port => Some(port.parse().map_err(|_| format!("{port:?} is no port"))?),
    };
    Ok((host, port))
}

fn name(host: &str) -> Result<String, String> {
    if host.is_empty() {
        return Err("no host".to_owned());
    }
    let host = match host.is_ascii() {
        true => host.to_ascii_lowercase(),
        false => to_ascii(host)?,
    };
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte);
    match host.bytes().find(|byte| !is_allowed(*byte)) {
        Some(byte) => Err(format!("{:?} may not stand in a host", char::from(byte))),
        None => Ok(host),
    }
}

#[cfg(feature = "idn")]
fn to_ascii(host: &str) -> Result<String, String> {
    idna::domain_to_ascii(host).map_err(|_| format!("{host:?} is no domain"))
}

#[cfg(not(feature = "idn"))]
fn to_ascii(_: &str) -> Result<String, String> {
    Err("a host in another script needs the feature idn, or its form xn--".to_owned())
}

impl TryFrom<&str> for Target {
    type Error = InvalidUrl;

    fn try_from(url: &str) -> Result<Self, InvalidUrl> {
        Self::parse(url)
    }
}

impl TryFrom<&String> for Target {
    type Error = InvalidUrl;

    fn try_from(url: &String) -> Result<Self, InvalidUrl> {
        Self::parse(url)
    }
}

impl TryFrom<String> for Target {
    type Error = InvalidUrl;

    fn try_from(url: String) -> Result<Self, InvalidUrl> {
        Self::parse(&url)
    }
}

impl TryFrom<Uri> for Target {
    type Error = InvalidUrl;

    fn try_from(url: Uri) -> Result<Self, InvalidUrl> {
        Self::try_from(&url)
    }
}

impl TryFrom<&Uri> for Target {
    type Error = InvalidUrl;

    fn try_from(url: &Uri) -> Result<Self, InvalidUrl> {
        Self::parse(&url.to_string())
    }
}

/// For those who have a [`Target`] already.
impl From<Infallible> for InvalidUrl {
    fn from(never: Infallible) -> Self {
        match never {}
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
            Target::parse("WS://A.Example:8080?q=1"),
            target("a.example", 8080, false, "/?q=1")
        );
        let uri: Uri = "wss://a.example/b?c=d".parse().unwrap();
        assert_eq!(
            Target::try_from(uri),
            target("a.example", 443, true, "/b?c=d")
        );
    }

    #[test]
    fn what_may_not_stand_in_a_request_line_is_encoded() {
        assert_eq!(
            Target::parse("ws://a/käse brot?%20=\"|\\&x=1"),
            target("a", 80, false, "/k%C3%A4se%20brot?%20=%22%7C%5C&x=1")
        );
    }

    #[cfg(feature = "idn")]
    #[test]
    fn hosts_in_other_scripts_become_ascii() {
        for (url, host) in [
            ("WS://BÜCHER.example", "xn--bcher-kva.example"),
            ("ws://例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("ws://faß.de", "xn--fa-hia.de"),
        ] {
            assert_eq!(Target::parse(url), target(host, 80, false, "/"), "{url}");
        }
    }

    #[cfg(not(feature = "idn"))]
    #[test]
    fn hosts_in_other_scripts_need_a_feature() {
        let error = Target::parse("ws://bücher.example").unwrap_err();
        assert!(error.to_string().contains("feature idn"), "{error}");
    }

    #[test]
    fn what_is_not_a_websocket_url_is_refused() {
        assert_eq!(Target::parse("ws://u@h/"), Err(InvalidUrl::Userinfo));
        assert_eq!(Target::parse("ws://h/#f"), Err(InvalidUrl::Fragment));
        assert!(matches!(
            Target::parse("http://h/"),
            Err(InvalidUrl::Scheme { .. })
        ));
        for wrong in [
            "",
            "ws://",
            "ws:",
            "h:80",
            "/path",
            "ws://h:99999/",
            "ws://:80",
            "ws://[::1",
            "ws://[h]",
            "ws://[::1]x",
            "ws://a b/",
            "ws://a%20b/",
            "ws://a\\b/",
            "ws://::1/",
            "ws:///path",
        ] {
            assert!(Target::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
