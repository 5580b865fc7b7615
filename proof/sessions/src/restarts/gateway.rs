//! The gateway, one process after the other.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::process::{START_LIMIT, address};

const END_LIMIT: Duration = Duration::from_secs(30);

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Term,
    Kill,
}

pub(super) struct Gateway {
    revoir: PathBuf,
    config: PathBuf,
    child: Option<Child>,
    at: watch::Sender<SocketAddr>,
}

impl Gateway {
    /// One of this configuration, which stands in `folder` with the file and the keys.
    pub(super) fn new(revoir: &Path, folder: &Path, config: &str) -> anyhow::Result<Self> {
        let path = folder.join("revoir.toml");
        fs::write(&path, config)?;
        fs::write(folder.join("session.keys"), "07".repeat(32))?;
        Ok(Self {
            revoir: revoir.to_owned(),
            config: path,
            child: None,
            at: watch::Sender::new(SocketAddr::from(([127, 0, 0, 1], 1))),
        })
    }

    /// Where it listens.
    pub(super) fn at(&self) -> watch::Receiver<SocketAddr> {
        self.at.subscribe()
    }

    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        let mut child = Command::new(&self.revoir)
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(&self.config)
            .args(["--access-log", "none"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", self.revoir.display()))?;
        let stderr = child.stderr.take().context("a pipe")?;
        let address = timeout(START_LIMIT, address(stderr)).await??;
        self.child = Some(child);
        self.at.send_replace(address);
        Ok(())
    }

    /// Ends it, and waits until it has.
    pub(super) async fn end(&mut self, how: How) -> anyhow::Result<()> {
        let mut child = self.child.take().context("there is none")?;
        match how {
            How::Kill => child.start_kill()?,
            How::Term => {
                let id = child.id().context("it ended")?.to_string();
                let kill = Command::new("kill").args(["-TERM", &id]).status().await?;
                anyhow::ensure!(kill.success(), "kill -TERM {id}");
            }
        }
        let status = timeout(END_LIMIT, child.wait()).await??;
        if how == How::Term && !status.success() {
            bail!("the gateway ended with {status}");
        }
        Ok(())
    }
}
