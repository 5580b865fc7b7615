//! [`AdminAddr`]: where a gateway is asked and steered, and where it is if nobody says.

use std::env;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Where the admin interface is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminAddr {
    /// An address and a port of this machine.
    Tcp(SocketAddr),
    /// A Unix socket, for its owner only.
    Unix(PathBuf),
}

impl<'de> Deserialize<'de> for AdminAddr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Serialize for AdminAddr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Tcp(address) => serializer.collect_str(address),
            Self::Unix(_) => serializer.collect_str(self),
        }
    }
}

/// A text that is no such place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidAdminAddr;

impl AdminAddr {
    /// Where `serve` puts its socket without `--admin`, and `ctl` looks for it: where
    /// XDG_RUNTIME_DIR says, and nowhere else; without that, the place of a service.
    pub fn of_environment() -> Self {
        let own = env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty());
        own.map_or_else(Self::of_service, |own| Self::below(Path::new(&own)))
    }

    /// The place of a service.
    pub fn of_service() -> Self {
        Self::below(Path::new("/run"))
    }

    fn below(place: &Path) -> Self {
        Self::Unix(place.join("revoir").join("admin.sock"))
    }
}

impl FromStr for AdminAddr {
    type Err = InvalidAdminAddr;

    /// Reads `ADDR:PORT` or `unix:PATH`.
    fn from_str(text: &str) -> Result<Self, InvalidAdminAddr> {
        match text.strip_prefix("unix:") {
            Some("") => Err(InvalidAdminAddr),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| InvalidAdminAddr),
        }
    }
}

impl fmt::Display for AdminAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}/"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for InvalidAdminAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("give unix: and a path, or an address and a port, such as 127.0.0.1:9090")
    }
}

impl std::error::Error for InvalidAdminAddr {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_or_an_address() {
        let read = |text: &str| text.parse::<AdminAddr>().map(|addr| addr.to_string());
        assert_eq!(read("unix:/run/a.sock").unwrap(), "unix:/run/a.sock");
        assert_eq!(read("127.0.0.1:9090").unwrap(), "http://127.0.0.1:9090/");
        assert_eq!(read("[::1]:9090").unwrap(), "http://[::1]:9090/");
        for wrong in ["", "unix:", "9090", "localhost:9090", "/run/a.sock"] {
            assert_eq!(read(wrong), Err(InvalidAdminAddr), "{wrong:?}");
        }
    }
}
