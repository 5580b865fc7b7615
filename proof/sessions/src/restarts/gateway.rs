//! The gateway, one process after the other.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::process::{serve, signal, with_keys};

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
        Ok(Self {
            revoir: revoir.to_owned(),
            config: with_keys(folder, config)?,
            child: None,
            at: watch::Sender::new(SocketAddr::from(([127, 0, 0, 1], 1))),
        })
    }

    /// Where it listens.
    pub(super) fn at(&self) -> watch::Receiver<SocketAddr> {
        self.at.subscribe()
    }

    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(&self.revoir);
        let host = Ipv4Addr::LOCALHOST.into();
        let quietly = ["--access-log", "none"];
        let (child, address) = serve(&mut command, host, &self.config, &quietly).await?;
        self.child = Some(child);
        self.at.send_replace(address);
        Ok(())
    }

    /// Ends it, and waits until it has.
    pub(super) async fn end(&mut self, how: How) -> anyhow::Result<()> {
        let mut child = self.child.take().context("there is none")?;
        match how {
            How::Kill => child.start_kill()?,
            How::Term => signal(&child, "-TERM").await?,
        }
        let status = timeout(END_LIMIT, child.wait()).await??;
        if how == How::Term && !status.success() {
            bail!("the gateway ended with {status}");
        }
        Ok(())
    }
}
