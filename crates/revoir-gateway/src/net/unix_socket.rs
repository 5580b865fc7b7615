//! [`UnixSocket`]: a Unix socket that goes away with its listener.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// A Unix socket that goes away with its listener.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    identity: (u64, u64),
}

impl UnixSocket {
    /// Binds `path`, with `permissions` as chmod has them. A socket that nobody listens on any more is
    /// replaced; anything else that is there stays.
    ///
    /// # Errors
    ///
    /// Something else is there, or it may not be made.
    pub fn bind(path: &Path, permissions: u32) -> io::Result<Self> {
        if let Ok(there) = fs::symlink_metadata(path) {
            if !there.file_type().is_socket() {
                return Err(io::Error::from(io::ErrorKind::AlreadyExists));
            }
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(io::Error::from(io::ErrorKind::AddrInUse));
            }
        }
        // It gets its name only when nobody can use it who may not.
        let mut own = path.as_os_str().to_owned();
        own.push(format!(".{}", std::process::id()));
        let own = PathBuf::from(own);
        let listener = UnixListener::bind(&own)?;
        let moved = fs::set_permissions(&own, Permissions::from_mode(permissions))
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

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) async fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept().await?;
        Ok(stream)
    }
}

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
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_has_its_permissions_and_goes_with_its_listener() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.sock");
        let socket = UnixSocket::bind(&path, 0o600).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = UnixSocket::bind(&path, 0o600).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AddrInUse);
        drop(socket);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn only_a_socket_that_nobody_listens_on_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let socket = UnixSocket::bind(&path, 0o600).unwrap();
        // A successor that has the name keeps it.
        fs::remove_file(&path).unwrap();
        let successor = UnixSocket::bind(&path, 0o600).unwrap();
        drop(socket);
        assert!(path.exists());
        drop(successor);
        fs::write(&path, "no socket").unwrap();
        let taken = UnixSocket::bind(&path, 0o600).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"no socket");
    }
}
