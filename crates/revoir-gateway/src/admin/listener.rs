//! [`AdminListener`]: where the admin interface takes connections.

use std::fmt;
#[cfg(unix)]
use std::fs::{self, Permissions};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use revoir::AcceptFailures;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::accept_error;
use crate::config::AdminAddr;

/// Connections at a time. More wait.
const CONNECTIONS: usize = 64;

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

/// Where the admin interface could not be, and why.
#[derive(Debug)]
pub struct Unbound(Vec<(AdminAddr, io::Error)>);

impl fmt::Display for Unbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (address, error)) in self.0.iter().enumerate() {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}{address}: {error}")?;
        }
        Ok(())
    }
}

/// A Unix socket that goes away with its listener.
#[cfg(unix)]
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    identity: (u64, u64),
}

impl AdminListener {
    /// Takes connections at `address`.
    pub async fn bind(address: &AdminAddr) -> io::Result<Self> {
        match address {
            AdminAddr::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            #[cfg(unix)]
            AdminAddr::Unix(path) => UnixSocket::bind(path).map(Self::Unix),
            #[cfg(not(unix))]
            AdminAddr::Unix(_) => Err(io::Error::from(io::ErrorKind::Unsupported)),
        }
    }

    /// Binds one of the places where `ctl` looks. A place that cannot be had, for want of a right
    /// for example, is passed over; one that is in use is not.
    pub async fn bind_default() -> Result<Self, Unbound> {
        let mut unbound = Unbound(Vec::new());
        for address in AdminAddr::defaults() {
            make_directory(&address);
            match Self::bind(&address).await {
                Ok(listener) => return Ok(listener),
                Err(error) => {
                    let is_taken = error.kind() == io::ErrorKind::AddrInUse;
                    unbound.0.push((address, error));
                    if is_taken {
                        break;
                    }
                }
            }
        }
        Err(unbound)
    }

    /// Where it is in the end: port 0 picks a free one.
    pub fn address(&self) -> io::Result<AdminAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(AdminAddr::Tcp),
            #[cfg(unix)]
            Self::Unix(socket) => Ok(AdminAddr::Unix(socket.path.clone())),
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
                Self::Unix(socket) => match socket.listener.accept().await {
                    Ok((stream, _)) => tokio::spawn(talk(stream, router.clone(), permit)),
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
    accept_error::tell(error, "admin");
    if let Some(pause) = failures.pause(error) {
        sleep(pause).await;
    }
}

#[cfg(unix)]
impl UnixSocket {
    /// Binds `path` for its owner only. A socket that nobody listens on any more is replaced;
    /// anything else that is there stays.
    fn bind(path: &Path) -> io::Result<Self> {
        if let Ok(there) = fs::symlink_metadata(path) {
            if !there.file_type().is_socket() {
                return Err(io::Error::from(io::ErrorKind::AlreadyExists));
            }
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(io::Error::from(io::ErrorKind::AddrInUse));
            }
        }
        // It gets its name only when nobody else can use it any more.
        let mut own = path.as_os_str().to_owned();
        own.push(format!(".{}", std::process::id()));
        let own = PathBuf::from(own);
        let listener = UnixListener::bind(&own)?;
        let moved = fs::set_permissions(&own, Permissions::from_mode(0o600))
            .and_then(|()| fs::rename(&own, path))
            .and_then(|()| identity(path));
        match moved {
            Ok(identity) => Ok(Self {
                listener,
                path: path.to_owned(),
                identity,
            }),
            Err(error) => {
                // The first error says more than one about tidying up.
                let _ = fs::remove_file(&own);
                Err(error)
            }
        }
    }
}

#[cfg(unix)]
impl Drop for UnixSocket {
    fn drop(&mut self) {
        // A successor may have taken the name over.
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            // If somebody else removes it, it is gone as well.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What tells a file from another one of the same name.
#[cfg(unix)]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_for_its_owner_and_goes_with_its_listener() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.sock");
        let socket = UnixSocket::bind(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = UnixSocket::bind(&path).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
        drop(socket);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn only_a_socket_that_nobody_listens_on_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let socket = UnixSocket::bind(&path).unwrap();
        // A successor that has the name keeps it.
        fs::remove_file(&path).unwrap();
        let successor = UnixSocket::bind(&path).unwrap();
        drop(socket);
        assert!(path.exists());
        drop(successor);
        fs::write(&path, "no socket").unwrap();
        let taken = UnixSocket::bind(&path).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"no socket");
    }
}
