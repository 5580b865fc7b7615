//! A client under test: an adapter, or whatever asks over HTTP for the next case.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;

use crate::adapter::{Adapter, Start};
use crate::case::Role;
use crate::certificate::Certificate;
use crate::subject::{Meeting, Subject};
use crate::subjects::walk::Walk;
use crate::subjects::{is_loopback, within_a_start, within_limit};
use crate::told::Told;
use crate::wire::{BoxTransport, Tls};

/// A client under test. Each case has a port of its own, so that the suite knows before the first byte which
/// case it is.
#[derive(Debug)]
pub struct ClientUnderTest {
    ip: IpAddr,
    driver: Driver,
    told: Arc<Told>,
    tls: Option<Tls>,
    /// Where each connection that is not over was told to come, by its path.
    listeners: Mutex<HashMap<String, Arc<TcpListener>>>,
}

#[derive(Debug)]
enum Driver {
    Adapter(Box<Adapter>),
    Walk(Walk),
}

impl ClientUnderTest {
    /// A client that an adapter runs: the command, and the certificate that the suite shows if it
    /// shall speak TLS, whose files have to be there.
    #[must_use]
    pub fn adapter(command: &str, tls: Option<&Certificate>) -> Self {
        let told = Arc::new(Told::default());
        let start = Start::new(command, Role::Client, tls);
        Self {
            ip: IpAddr::from([127, 0, 0, 1]),
            driver: Driver::Adapter(Box::new(Adapter::new(start, told.clone()))),
            told,
            tls: tls.map(Certificate::as_server),
            listeners: Mutex::default(),
        }
    }

    /// Clients that ask over HTTP, browsers among them: a page at this address does it all.
    /// `cases` is what `/cases` answers.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, or is beyond loopback and that is not allowed.
    pub async fn walking(
        address: SocketAddr,
        allow_remote: bool,
        tls: Option<&Certificate>,
        cases: String,
    ) -> io::Result<Self> {
        if !allow_remote && !is_loopback(address.ip()) {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("{address} can be reached from other machines"),
            ));
        }
        let told = Arc::new(Told::default());
        let walk = Walk::begin(address, told.clone(), cases).await?;
        Ok(Self {
            ip: address.ip(),
            driver: Driver::Walk(walk),
            told,
            tls: tls.map(Certificate::as_server),
            listeners: Mutex::default(),
        })
    }

    fn listeners(&self) -> MutexGuard<'_, HashMap<String, Arc<TcpListener>>> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Where clients ask for the next case, if they do.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.driver {
            Driver::Adapter(_) => None,
            Driver::Walk(walk) => Some(walk.address()),
        }
    }

    /// Waits until somebody asks for a case, or until the adapter is ready.
    ///
    /// # Errors
    ///
    /// If the adapter does not start.
    pub async fn begin(&self) -> io::Result<()> {
        match &self.driver {
            Driver::Adapter(adapter) => adapter.port().await.map(drop),
            Driver::Walk(walk) => {
                walk.begun().await;
                Ok(())
            }
        }
    }

    /// Lets those who ask for a case know that there is none, or lets the adapter end.
    pub async fn finish(&self) {
        match &self.driver {
            Driver::Adapter(adapter) => adapter.finish().await,
            Driver::Walk(walk) => walk.finish().await,
        }
    }
}

impl Subject for ClientUnderTest {
    fn role(&self) -> Role {
        Role::Client
    }

    fn meet<'a>(&'a self, at: &'a str) -> Meeting<'a> {
        Box::pin(async move {
            let listener = Arc::new(TcpListener::bind((self.ip, 0)).await?);
            let port = listener.local_addr()?.port();
            self.listeners().insert(at.to_owned(), listener.clone());
            let (scheme, host) = match (&self.tls, self.ip.is_loopback()) {
                (Some(_), true) => ("wss", "localhost".to_owned()),
                (None, true) => ("ws", "127.0.0.1".to_owned()),
                (tls, false) => (
                    if tls.is_some() { "wss" } else { "ws" },
                    self.ip.to_string(),
                ),
            };
            let url = format!("{scheme}://{host}:{port}{at}");
            match &self.driver {
                Driver::Adapter(adapter) => within_a_start(adapter.connect(&url)).await?,
                Driver::Walk(walk) => walk.offer(url).await?,
            }
            within_limit(accept(&listener)).await
        })
    }

    fn meet_again<'a>(&'a self, at: &'a str) -> Meeting<'a> {
        Box::pin(async move {
            let listener = self.listeners().get(at).cloned();
            match listener {
                Some(listener) => accept(&listener).await,
                None => std::future::pending().await,
            }
        })
    }

    fn part(&self, at: &str) {
        self.listeners().remove(at);
    }

    fn tls(&self) -> Option<Tls> {
        self.tls.clone()
    }

    fn told(&self) -> Option<Arc<Told>> {
        Some(self.told.clone())
    }

    fn deaths(&self) -> usize {
        match &self.driver {
            Driver::Adapter(adapter) => adapter.deaths(),
            Driver::Walk(_) => 0,
        }
    }
}

async fn accept(listener: &TcpListener) -> io::Result<BoxTransport> {
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}
