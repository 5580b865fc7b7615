//! [`Target`]: where the backend listens.

use std::fmt;

use hyper::Uri;
use hyper::http::uri::InvalidUri;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The host and port of a backend, and how to speak to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Over TLS.
    pub secure: bool,
    /// A name or an address, without brackets.
    pub host: String,
    /// From 1.
    pub port: u16,
}

/// A URL that names no backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidTarget {
    /// It is no URL with a host.
    Syntax,
    /// Its port is not from 1 to 65535.
    Port,
    /// Another scheme than `ws`, `wss`, `http` and `https`.
    Scheme,
    /// It has a path: requests keep their own.
    Path,
}

impl Target {
    /// Reads `ws://HOST[:PORT]`, where the scheme may be `wss`, `http` or `https` as well.
    pub fn parse(text: &str) -> Result<Self, InvalidTarget> {
        // What is behind it is not read.
        if text.contains('#') {
            return Err(InvalidTarget::Syntax);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidTarget::Syntax)?;
        let target = Self::of(&uri)?;
        match uri.path_and_query() {
            Some(path) if path.as_str() != "/" => Err(InvalidTarget::Path),
            _ => Ok(target),
        }
    }

    /// Where `uri` leads, whatever its path.
    pub(crate) fn of(uri: &Uri) -> Result<Self, InvalidTarget> {
        let secure = match uri.scheme_str() {
            Some("ws" | "http") => false,
            Some("wss" | "https") => true,
            Some(_) => return Err(InvalidTarget::Scheme),
            None => return Err(InvalidTarget::Syntax),
        };
        let authority = uri.authority().ok_or(InvalidTarget::Syntax)?;
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
            host: host.to_owned(),
            port: port.unwrap_or(if secure { 443 } else { 80 }),
        })
    }

    /// The address of what is at the path of `uri`, for plain HTTP.
    pub(crate) fn resource(&self, uri: &Uri) -> Result<Uri, InvalidUri> {
        let scheme = if self.secure { "https" } else { "http" };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        format!("{scheme}://{self}{path}").parse()
    }

    /// The scheme of WebSocket.
    const fn scheme(&self) -> &'static str {
        if self.secure { "wss" } else { "ws" }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
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
        serializer.collect_str(&format_args!("{}://{self}", self.scheme()))
    }
}

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "expected ws://HOST:PORT",
            Self::Port => "expected a port from 1 to 65535",
            Self::Scheme => "expected ws://, wss://, http:// or https://",
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
        assert_eq!(parsed("http://backend/"), Ok("backend:80".to_owned()));
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
        assert!(Target::parse("https://h:1").is_ok_and(|target| target.secure));
        assert_eq!(parsed("ftp://h"), Err(InvalidTarget::Scheme));
        assert_eq!(parsed("ws://h/chat"), Err(InvalidTarget::Path));
    }
}
