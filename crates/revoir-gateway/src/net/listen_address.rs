//! [`ListenAddr`]: where clients connect.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Where clients connect: an address and a port, or a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddr {
    /// An address and a port of this machine.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// A text that is no such place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidListenAddr;

impl ListenAddr {
    /// Has a path that is relative stand in `directory`.
    pub(crate) fn stands_in(&mut self, directory: &Path) {
        if let Self::Unix(path) = self {
            *path = directory.join(&*path);
        }
    }
}

impl From<SocketAddr> for ListenAddr {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl FromStr for ListenAddr {
    type Err = InvalidListenAddr;

    /// Reads `ADDR:PORT` or `unix:PATH`.
    fn from_str(text: &str) -> Result<Self, InvalidListenAddr> {
        match text.strip_prefix("unix:") {
            Some("") => Err(InvalidListenAddr),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| InvalidListenAddr),
        }
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for InvalidListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected an address and a port, such as 127.0.0.1:8080, or unix:PATH")
    }
}

impl std::error::Error for InvalidListenAddr {}

impl<'de> Deserialize<'de> for ListenAddr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let address = text.parse();
        address.map_err(|error| de::Error::custom(format!("{text:?}: {error}")))
    }
}

impl Serialize for ListenAddr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_address_or_a_path() {
        for text in [
            "127.0.0.1:8080",
            "[::1]:8080",
            "unix:/run/a.sock",
            "unix:a.sock",
        ] {
            assert_eq!(text.parse::<ListenAddr>().unwrap().to_string(), text);
        }
        for wrong in ["", "unix:", "8080", "localhost:8080", "/run/a.sock"] {
            assert_eq!(
                wrong.parse::<ListenAddr>(),
                Err(InvalidListenAddr),
                "{wrong:?}"
            );
        }
    }
}
