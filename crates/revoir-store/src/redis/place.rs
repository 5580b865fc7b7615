//! Where a Redis is: an address as an operator writes it.

use std::fmt;

use redis::{Client, IntoConnectionInfo};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

use crate::store::StoreError;

/// One server, or what says where it is.
pub(super) enum Place {
    One(Client),
    /// These know which server is the master under a name.
    Sentinels {
        sentinels: Vec<Client>,
        name: String,
        /// The address of a server, without host and port.
        server: Server,
    },
    /// Some nodes of a cluster; they know the others.
    Cluster(Vec<Client>),
}

/// What the addresses of several servers have in common.
pub(super) struct Server {
    scheme: &'static str,
    /// With `@` behind it, or empty.
    user: String,
    database: String,
}

impl Server {
    pub(super) fn at(&self, address: &str) -> Result<Client, StoreError> {
        let Self {
            scheme,
            user,
            database,
        } = self;
        open(format!("{scheme}://{user}{address}/{database}"))
    }
}

impl Place {
    /// # Errors
    ///
    /// [`StoreError`]: it is no such address. The text does not have the password.
    pub(super) fn parse(address: &str) -> Result<Self, StoreError> {
        let Some((scheme, rest)) = address.split_once("://") else {
            return Err(wrong("it has no scheme"));
        };
        let (scheme, kind) = match scheme.split_once('+') {
            Some((scheme, kind)) => (scheme, kind),
            None => (scheme, ""),
        };
        if matches!(scheme, "rediss" | "valkeys") {
            provide_cryptography();
        }
        let scheme = match (scheme, kind) {
            (_, "" | "unix") => return Ok(Self::One(open(address)?)),
            ("redis" | "valkey", _) => "redis",
            ("rediss" | "valkeys", _) => "rediss",
            _ => return Err(wrong("its scheme is not known")),
        };
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (format!("{user}@"), rest),
            None => (String::new(), rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (name, database) = match kind {
            "sentinel" => path.split_once('/').unwrap_or((path, "")),
            _ => ("", path),
        };
        let server = Server {
            scheme,
            user,
            database: database.to_owned(),
        };
        // Its user and database are wrong before any server is known.
        server.at("localhost")?;
        let hosts = hosts.split(',');
        match kind {
            "cluster" if path.is_empty() => Ok(Self::Cluster(
                hosts
                    .map(|host| server.at(host))
                    .collect::<Result<_, _>>()?,
            )),
            "cluster" => Err(wrong("a cluster has no numbers of databases")),
            "sentinel" if name.is_empty() => {
                Err(wrong("the name of the master is missing behind the hosts"))
            }
            "sentinel" => Ok(Self::Sentinels {
                sentinels: hosts
                    .map(|host| open(format!("{scheme}://{host}")))
                    .collect::<Result<_, _>>()?,
                name: name.to_owned(),
                server,
            }),
            _ => Err(wrong("its scheme is not known")),
        }
    }
}

fn open(address: impl IntoConnectionInfo) -> Result<Client, StoreError> {
    Client::open(address).map_err(|error| wrong(&error.to_string()))
}

/// The crate `redis` takes the default of the process, and panics where there is none.
fn provide_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // An error: somebody else was quicker, so there is one.
        let _ = ring::default_provider().install_default();
    }
}

fn wrong(what: &str) -> StoreError {
    StoreError::new(format!(
        "not an address of Redis: {what}. Addresses look like redis://USER:PASSWORD@HOST:6379/0, rediss:// with TLS, \
         redis+sentinel://HOST,HOST/NAME, redis+cluster://HOST,HOST"
    ))
}

/// Without passwords.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |client: &Client| client.get_connection_info().addr().to_string();
        match self {
            Self::One(client) => f.write_str(&at(client)),
            Self::Sentinels {
                sentinels, name, ..
            } => {
                let sentinels: Vec<_> = sentinels.iter().map(at).collect();
                write!(f, "{name} of {}", sentinels.join(","))
            }
            Self::Cluster(nodes) => {
                let nodes: Vec<_> = nodes.iter().map(at).collect();
                write!(f, "cluster of {}", nodes.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(address: &str) -> String {
        match Place::parse(address) {
            Ok(place) => format!("{place:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_address_is_understood_and_shown_without_its_password() {
        for (address, shown) in [
            ("redis://127.0.0.1", "127.0.0.1:6379"),
            ("redis://me:secret@h:7/3", "h:7"),
            ("valkey://h", "h:6379"),
            ("redis+unix:///run/redis.sock", "/run/redis.sock"),
            (
                "redis+cluster://:secret@a,b:7001",
                "cluster of a:6379,b:7001",
            ),
            (
                "redis+sentinel://:secret@a:26379,b:26380/main/2",
                "main of a:26379,b:26380",
            ),
        ] {
            assert_eq!(seen(address), shown, "{address}");
        }
    }

    #[test]
    fn what_is_no_address_is_told_without_its_password() {
        for address in [
            "",
            "127.0.0.1:6379",
            "http://:secret@h",
            "redis+sentinel://:secret@h:26379",
            "redis+sentinel://:secret@h:26379/main/x",
            "redis+cluster://:secret@h/1",
            "redis+ring://:secret@h",
            "redis://:secret@h:port",
        ] {
            let told = seen(address);
            assert!(told.contains("not an address of Redis"), "{told}");
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
