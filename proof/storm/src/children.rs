//! The other processes: started, spoken to, and gone with us.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::record::Record;

/// A process of this program, and the lines it says.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts this program with `args`, with as many file descriptors as it may have.
    fn start(args: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let mut child = Command::new("sh")
            .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\""])
            .arg(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("start a process")?;
        let stdout = child.stdout.take().context("a pipe")?;
        let lines = BufReader::new(stdout).lines();
        Ok(Self { child, lines })
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        self.lines.next_line().await?.context("the process ended")
    }

    /// A server, once it listens.
    pub(crate) async fn server(address: SocketAddr) -> anyhow::Result<(Self, SocketAddr)> {
        let mut server = Self::start(&["server", &address.to_string()])?;
        let line = server.line().await?;
        let address = line.strip_prefix("listening ").context("an address")?;
        let address = address.parse()?;
        Ok((server, address))
    }

    /// Clients of a kind, `crowd` or `flood`, once all are connected.
    pub(crate) async fn clients(
        kind: &str,
        server: SocketAddr,
        count: usize,
    ) -> anyhow::Result<Self> {
        let url = format!("ws://{server}/");
        let mut clients = Self::start(&[kind, &url, &count.to_string()])?;
        match clients.line().await?.as_str() {
            "up" => Ok(clients),
            other => bail!("unexpected: {other}"),
        }
    }

    /// What the clients have seen, once they are done.
    pub(crate) async fn records(mut self) -> anyhow::Result<Vec<Record>> {
        let line = self.line().await?;
        Ok(serde_json::from_str(&line)?)
    }

    pub(crate) async fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().context("a running process")?;
        let kill = Command::new("kill")
            .args([&format!("-{name}"), &pid.to_string()])
            .status();
        if !kill.await?.success() {
            bail!("kill -{name} {pid} failed");
        }
        Ok(())
    }

    /// Waits until the process is gone. Returns what it said last.
    pub(crate) async fn gone(mut self) -> anyhow::Result<String> {
        let mut last = String::new();
        while let Some(line) = self.lines.next_line().await? {
            last = line;
        }
        self.child.wait().await?;
        Ok(last)
    }
}
