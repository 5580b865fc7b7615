//! [`Target`]: where the backend listens.

use std::fmt;
use std::path::{Path, PathBuf};

use hyper::Uri;
use hyper::http::uri::InvalidUri;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The start of the authority that stands for a Unix socket in a URL; its path follows in
/// hexadecimal. No host has such a name.
const UNIX: &str = "unix+";

/// Where a backend listens, and how to speak to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Over TLS.
    pub secure: bool,
    /// Where it listens.
    pub place: Place,
}

/// Where a backend listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On TCP.
    Host {
        /// A name or an address, without brackets.
        host: String,
        /// From 1.
        port: u16,
    },
    /// On a Unix socket with this path. There is no TLS.
    Unix(PathBuf),
}

/// A URL that names no backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidTarget {
    /// It is no URL with a host.
    Syntax,
    /// Its port is not from 1 to 65535.
    Port,
    /// Another scheme than `ws` and `wss`.
    Scheme,
    /// The scheme `http` or `https`.
    Http,
    /// It has a path: requests keep their own.
    Path,
}

impl Target {
    /// Reads `ws://HOST[:PORT]`, `wss://HOST[:PORT]` or `unix:PATH`.
    pub fn parse(text: &str) -> Result<Self, InvalidTarget> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::unix(path.into());
        }
        // What is behind it is not read.
        if text.contains('#') {
            return Err(InvalidTarget::Syntax);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidTarget::Syntax)?;
        if let Some("http" | "https") = uri.scheme_str() {
            return Err(InvalidTarget::Http);
        }
        let target = Self::of(&uri)?;
        match uri.path_and_query() {
            Some(path) if path.as_str() != "/" => Err(InvalidTarget::Path),
            _ => Ok(target),
        }
    }

    fn unix(path: PathBuf) -> Result<Self, InvalidTarget> {
        if path.as_os_str().is_empty() {
            return Err(InvalidTarget::Syntax);
        }
        Ok(Self {
            secure: false,
            place: Place::Unix(path),
        })
    }

    /// Where `uri` leads, whatever its path. Its scheme may be `http` or `https` as well.
    pub(crate) fn of(uri: &Uri) -> Result<Self, InvalidTarget> {
        let secure = match uri.scheme_str() {
            Some("ws" | "http") => false,
            Some("wss" | "https") => true,
            Some(_) => return Err(InvalidTarget::Scheme),
            None => return Err(InvalidTarget::Syntax),
        };
        let authority = uri.authority().ok_or(InvalidTarget::Syntax)?;
        if let Some(path) = authority.as_str().strip_prefix(UNIX) {
            return Self::unix(unhex(path).ok_or(InvalidTarget::Syntax)?.into());
        }
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(InvalidTarget::Syntax);
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => None,
            // A number that is none would be passed over.
            _ => match authority.port_u16() {
                None | Some(0) => return Err(InvalidTarget::Port),
                port => port,
            },
        };
        Ok(Self {
            secure,
            place: Place::Host {
                host: host.to_owned(),
                port: port.unwrap_or(if secure { 443 } else { 80 }),
            },
        })
    }

    /// The field Host of requests that have none of a client. A Unix socket has no name: nginx and
    /// curl write `localhost` too.
    pub(crate) fn host_field(&self) -> String {
        match &self.place {
            Place::Host { .. } => self.to_string(),
            Place::Unix(_) => "localhost".to_owned(),
        }
    }

    /// The address of what is at the path of `uri`, for plain HTTP.
    pub(crate) fn resource(&self, uri: &Uri) -> Result<Uri, InvalidUri> {
        let scheme = if self.secure { "https" } else { "http" };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        match &self.place {
            Place::Host { .. } => format!("{scheme}://{self}{path}").parse(),
            Place::Unix(socket) => format!("{scheme}://{UNIX}{}{path}", hex(socket)).parse(),
        }
    }

    /// The scheme of WebSocket.
    const fn scheme(&self) -> &'static str {
        if self.secure { "wss" } else { "ws" }
    }
}

/// The bytes of a path in hexadecimal.
fn hex(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What was written so. Paths of a configuration are text.
fn unhex(text: &str) -> Option<String> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let pair = str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    };
    String::from_utf8(pairs.map(byte).collect::<Option<_>>()?).ok()
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Host { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Place::Host { host, port } => write!(f, "{host}:{port}"),
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|error| de::Error::custom(format!("{text:?}: {error}")))
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.place {
            Place::Host { .. } => {
                serializer.collect_str(&format_args!("{}://{self}", self.scheme()))
            }
            Place::Unix(_) => serializer.collect_str(self),
        }
    }
}

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "expected ws://HOST:PORT or unix:PATH",
            Self::Port => "expected a port from 1 to 65535",
            Self::Scheme => "expected ws://, wss:// or unix:",
            Self::Http => "write ws:// for http://, and wss:// for https://",
            Self::Path => "expected no path: requests keep their own",
        })
    }
}

impl std::error::Error for InvalidTarget {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_scheme_a_host_and_a_port() {
        let parsed = |text| Target::parse(text).map(|target| target.to_string());
        assert_eq!(
            parsed("ws://127.0.0.1:9000"),
            Ok("127.0.0.1:9000".to_owned())
        );
        assert_eq!(parsed("ws://backend/"), Ok("backend:80".to_owned()));
        assert_eq!(parsed("ws://[::1]:9"), Ok("[::1]:9".to_owned()));
        for wrong in ["", "127.0.0.1:9000", "ws://", "ws://u@h", "/"] {
            assert_eq!(parsed(wrong), Err(InvalidTarget::Syntax), "{wrong:?}");
        }
        for wrong in [
            "ws://h:0",
            "ws://h:65536",
            "ws://h:x",
            "ws://h:",
            "ws://[::1]:-1",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(parsed("ws://h:65536"), Err(InvalidTarget::Port));
        assert_eq!(parsed("ws://h:9#x"), Err(InvalidTarget::Syntax));
        assert_eq!(parsed("wss://h"), Ok("h:443".to_owned()));
        assert!(Target::parse("wss://h:1").is_ok_and(|target| target.secure));
        assert_eq!(parsed("http://h:1"), Err(InvalidTarget::Http));
        assert_eq!(parsed("https://h"), Err(InvalidTarget::Http));
        assert_eq!(parsed("ftp://h"), Err(InvalidTarget::Scheme));
        assert_eq!(parsed("ws://h/chat"), Err(InvalidTarget::Path));
        assert_eq!(
            parsed("unix:/run/a b.sock"),
            Ok("unix:/run/a b.sock".to_owned())
        );
        assert_eq!(parsed("unix:"), Err(InvalidTarget::Syntax));
    }

    #[test]
    fn what_is_at_a_unix_socket_has_an_address_that_leads_back() {
        let target = Target::parse("unix:/run/ä%?#.sock").unwrap();
        let resource = target.resource(&Uri::from_static("/a?b=c")).unwrap();
        assert_eq!(resource.path_and_query().unwrap(), "/a?b=c");
        assert_eq!(Target::of(&resource), Ok(target));
    }
}
