//! [`RedisServer`]: a Redis of its own.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::process::{START_LIMIT, signal};

/// Keeps nothing on disk, and is killed when it is dropped.
pub(super) struct RedisServer {
    child: Child,
    pub(super) address: String,
}

impl RedisServer {
    pub(super) async fn start(folder: &Path, at: &IpAddr) -> anyhow::Result<Self> {
        let port = TcpListener::bind((*at, 0)).await?.local_addr()?.port();
        let child = Command::new("redis-server")
            .args(["--bind", &at.to_string(), "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--protected-mode", "no"])
            .args(["--maxmemory-policy", "noeviction"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("start redis-server")?;
        let address = SocketAddr::new(*at, port);
        let answers = async {
            while TcpStream::connect(address).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(START_LIMIT, answers)
            .await
            .context("redis-server")?;
        Ok(Self {
            child,
            address: format!("redis://{address}"),
        })
    }

    /// Stands still for so long.
    pub(super) async fn freeze(&self, time: Duration) -> anyhow::Result<()> {
        signal(&self.child, "-STOP").await?;
        sleep(time).await;
        signal(&self.child, "-CONT").await
    }
}
