//! [`AdminListener`]: where the admin interface takes connections.

#[cfg(unix)]
use std::fs;
use std::io;
#[cfg(unix)]
use std::os::unix::fs::DirBuilderExt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use revoir::server::AcceptFailures;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::config::AdminAddr;
#[cfg(unix)]
use crate::net::UnixSocket;
use crate::shortage;

/// Connections at a time. More wait.
const CONNECTIONS: usize = 64;

/// The permissions of the socket.
#[cfg(unix)]
const OWNER_ONLY: u32 = 0o600;

/// How long a request may take to come.
const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// Where the admin interface takes connections.
#[derive(Debug)]
pub enum AdminListener {
    /// On TCP.
    Tcp(TcpListener),
    /// On a Unix socket.
    #[cfg(unix)]
    Unix(UnixSocket),
}

impl AdminListener {
    /// Takes connections at `address`.
    pub async fn bind(address: &AdminAddr) -> io::Result<Self> {
        match address {
            AdminAddr::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            #[cfg(unix)]
            AdminAddr::Unix(path) => UnixSocket::bind(path, OWNER_ONLY).map(Self::Unix),
            #[cfg(not(unix))]
            AdminAddr::Unix(_) => Err(io::Error::from(io::ErrorKind::Unsupported)),
        }
    }

    /// Takes connections where `ctl` looks by itself.
    ///
    /// # Errors
    ///
    /// Where it could not be, and why.
    pub async fn bind_default() -> Result<Self, (AdminAddr, io::Error)> {
        let address = AdminAddr::of_environment();
        make_directory(&address);
        Self::bind(&address).await.map_err(|error| (address, error))
    }

    /// Where it is in the end: port 0 picks a free one.
    pub fn address(&self) -> io::Result<AdminAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(AdminAddr::Tcp),
            #[cfg(unix)]
            Self::Unix(socket) => Ok(AdminAddr::Unix(socket.path().to_owned())),
        }
    }

    /// Answers with `router`. Runs until it is dropped; what was begun goes on.
    pub(super) async fn serve(self, router: Router) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let mut failures = AcceptFailures::default();
        loop {
            // It is never closed.
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            let talking = match &self {
                Self::Tcp(listener) => match listener.accept().await {
                    Ok((stream, _)) => tokio::spawn(talk(stream, router.clone(), permit)),
                    Err(error) => {
                        failed(&error, &mut failures).await;
                        continue;
                    }
                },
                #[cfg(unix)]
                Self::Unix(socket) => match socket.accept().await {
                    Ok(stream) => tokio::spawn(talk(stream, router.clone(), permit)),
                    Err(error) => {
                        failed(&error, &mut failures).await;
                        continue;
                    }
                },
            };
            failures = AcceptFailures::default();
            // It ends by itself.
            drop(talking);
        }
    }
}

/// Makes the directory of a socket, for its owner only.
fn make_directory(address: &AdminAddr) {
    #[cfg(unix)]
    if let AdminAddr::Unix(path) = address
        && let Some(directory) = path.parent()
    {
        // What is wrong shows when the socket is bound.
        let _ = fs::DirBuilder::new().mode(0o700).create(directory);
    }
    #[cfg(not(unix))]
    let _ = address;
}

async fn talk<S, P>(stream: S, router: Router, permit: P)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT);
    let service = TowerToHyperService::new(router);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(target: "revoir", %error, "an admin connection ended early");
    }
    drop(permit);
}

async fn failed(error: &io::Error, failures: &mut AcceptFailures) {
    shortage::tell_of_accept(error, "admin");
    if let Some(pause) = failures.pause(error) {
        sleep(pause).await;
    }
}
