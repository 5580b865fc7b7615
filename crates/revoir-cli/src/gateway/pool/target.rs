//! [`Target`]: where the backend listens.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The host and port of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// A URL that names no backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidTarget {
    /// It is no URL with a host.
    Syntax,
    /// Another scheme than `ws` or `http`.
    Scheme,
    /// It has a path: requests keep their own.
    Path,
}

impl Target {
    /// Reads `ws://HOST[:PORT]` or `http://HOST[:PORT]`.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidTarget> {
        let uri: hyper::Uri = text.parse().map_err(|_| InvalidTarget::Syntax)?;
        if !matches!(uri.scheme_str(), Some("ws" | "http")) {
            return Err(match uri.scheme_str() {
                None => InvalidTarget::Syntax,
                Some(_) => InvalidTarget::Scheme,
            });
        }
        if uri
            .path_and_query()
            .is_some_and(|path| path.as_str() != "/")
        {
            return Err(InvalidTarget::Path);
        }
        let authority = uri.authority().ok_or(InvalidTarget::Syntax)?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(InvalidTarget::Syntax);
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']');
        Ok(Self {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(80),
        })
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
        serializer.collect_str(&format_args!("ws://{self}"))
    }
}

impl fmt::Display for InvalidTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "expected ws://HOST:PORT",
            Self::Scheme => "expected ws:// or http://; TLS to the backend is not supported",
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
        assert_eq!(parsed("wss://h"), Err(InvalidTarget::Scheme));
        assert_eq!(parsed("ws://h/chat"), Err(InvalidTarget::Path));
    }
}
