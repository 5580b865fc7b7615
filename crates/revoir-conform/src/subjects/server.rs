//! A server under test: somewhere else, or started as an adapter.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::rustls::pki_types::ServerName;

use crate::adapter::{Adapter, Start};
use crate::case::Role;
use crate::certificate::{self, Certificate};
use crate::subject::{Meeting, Subject};
use crate::subjects::{is_loopback, within_a_start, within_limit};
use crate::told::Told;
use crate::wire::{BoxTransport, Tls};

/// A server under test.
#[derive(Debug)]
pub struct ServerUnderTest {
    place: Place,
    told: Option<Arc<Told>>,
    tls: Option<Tls>,
}

#[derive(Debug)]
enum Place {
    /// It runs already.
    Url {
        host: String,
        port: u16,
        path: String,
    },
    /// The adapter that is started.
    Adapter(Box<Adapter>),
}

impl ServerUnderTest {
    /// The server behind a URL (`ws` or `wss`). Its certificate is not checked: the suite is
    /// about endings.
    ///
    /// # Errors
    ///
    /// If it is no such URL, or if one of its addresses is beyond loopback and that is not allowed:
    /// the suite sends what breaks rules, and floods.
    pub async fn at(url: &str, allow_remote: bool) -> io::Result<Self> {
        let wrong = || {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("not a URL of a WebSocket server: {url}"),
            )
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
        let is_tls = match scheme {
            "ws" => false,
            "wss" => true,
            _ => return Err(wrong()),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(|_| wrong())?),
            _ => (authority, if is_tls { 443 } else { 80 }),
        };
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        if host.is_empty() {
            return Err(wrong());
        }
        if !allow_remote {
            for address in lookup_host((&*host, port)).await? {
                if !is_loopback(address.ip()) {
                    return Err(io::Error::new(
                        io::ErrorKind::PermissionDenied,
                        format!(
                            "{host} is {}, another machine, and the suite breaks rules and floods",
                            address.ip()
                        ),
                    ));
                }
            }
        }
        let tls = match is_tls {
            true => {
                let name = match host.parse::<IpAddr>() {
                    Ok(address) => ServerName::from(address),
                    Err(_) => ServerName::try_from(host.clone()).map_err(|_| wrong())?,
                };
                Some(Tls::Client(certificate::trust_anything()?, name))
            }
            false => None,
        };
        Ok(Self {
            place: Place::Url {
                host,
                port,
                path: path.to_owned(),
            },
            told: None,
            tls,
        })
    }

    /// A server that an adapter runs: the command, and the certificate if it shall speak TLS, whose
    /// files have to be there.
    ///
    /// # Errors
    ///
    /// If TLS cannot be set up.
    pub fn adapter(command: &str, tls: Option<&Certificate>) -> io::Result<Self> {
        let told = Arc::new(Told::default());
        let start = Start::new(command, Role::Server, tls);
        let tls = match tls {
            Some(_) => {
                let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
                Some(Tls::Client(certificate::trust_anything()?, name))
            }
            None => None,
        };
        Ok(Self {
            place: Place::Adapter(Box::new(Adapter::new(start, told.clone()))),
            told: Some(told),
            tls,
        })
    }

    /// Makes sure that it can be reached.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub async fn begin(&self) -> io::Result<()> {
        self.connect().await.map(drop)
    }

    /// Lets the adapter end, if there is one.
    pub async fn finish(&self) {
        if let Place::Adapter(adapter) = &self.place {
            adapter.finish().await;
        }
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let (host, port) = match &self.place {
            Place::Url { host, port, .. } => (&**host, *port),
            Place::Adapter(adapter) => ("127.0.0.1", within_a_start(adapter.port()).await?),
        };
        let stream = within_limit(TcpStream::connect((host, port))).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Subject for ServerUnderTest {
    fn role(&self) -> Role {
        Role::Server
    }

    fn meet<'a>(&'a self, _: &'a str) -> Meeting<'a> {
        Box::pin(async move { Ok(Box::new(self.connect().await?) as BoxTransport) })
    }

    fn tls(&self) -> Option<Tls> {
        self.tls.clone()
    }

    fn told(&self) -> Option<Arc<Told>> {
        self.told.clone()
    }

    fn host(&self) -> String {
        match &self.place {
            Place::Url { host, port, .. } if host.contains(':') => format!("[{host}]:{port}"),
            Place::Url { host, port, .. } => format!("{host}:{port}"),
            Place::Adapter(_) => "localhost".to_owned(),
        }
    }

    fn path(&self, at: &str) -> String {
        match &self.place {
            Place::Url { path, .. } => path.clone(),
            Place::Adapter(_) => at.to_owned(),
        }
    }

    fn deaths(&self) -> usize {
        match &self.place {
            Place::Url { .. } => 0,
            Place::Adapter(adapter) => adapter.deaths(),
        }
    }
}
