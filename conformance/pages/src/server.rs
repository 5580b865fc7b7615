//! `revoir serve` as a process.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Until it says where it listens.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running server. Killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    _child: Child,
    origin: String,
}

impl Server {
    /// Starts `program` on a free port.
    pub(crate) async fn start(program: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let stderr = child.stderr.take().context("its stderr")?;
        let mut lines = BufReader::new(stderr).lines();
        let line = timeout(START_LIMIT, lines.next_line()).await;
        let line = line.context("it took too long")??.unwrap_or_default();
        let start = line.find("http://").context(line.clone())?;
        let origin = line[start..].trim_end_matches('/').to_owned();
        // It may go on talking.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            _child: child,
            origin,
        })
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }
}
