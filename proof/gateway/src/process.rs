//! The other processes: started, spoken to, and gone with us.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A process, and the lines it says.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts a program with as many file descriptors as it may have.
    fn start(program: &Path, args: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new("sh")
            .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\""])
            .arg(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let input = child.stdin.take().context("a pipe")?;
        let stdout = child.stdout.take().context("a pipe")?;
        let lines = BufReader::new(stdout).lines();
        Ok(Self {
            child,
            input,
            lines,
        })
    }

    /// This program in another part, once it says that it is `up`.
    pub(crate) async fn own(args: &[&str]) -> anyhow::Result<Self> {
        let mut process = Self::start(&std::env::current_exe()?, args)?;
        match process.line().await?.as_str() {
            "up" => Ok(process),
            other => bail!("`{}` says: {other}", args.join(" ")),
        }
    }

    /// The gateway between two ports, once it listens.
    pub(crate) async fn gateway(program: &str, front: u16, backend: u16) -> anyhow::Result<Self> {
        let listen = format!("--listen=127.0.0.1:{front}");
        let upstream = format!("--upstream=ws://127.0.0.1:{backend}");
        let process = Self::start(Path::new(program), &["serve", &listen, &upstream])?;
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, front))
            .await
            .is_err()
        {
            if start.elapsed() > LIMIT {
                bail!("the gateway does not listen");
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(process)
    }

    pub(crate) fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the process has ended")
    }

    /// Says a line, and takes what the process answers.
    pub(crate) async fn ask<T: DeserializeOwned>(&mut self, line: &str) -> anyhow::Result<T> {
        self.input.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(serde_json::from_str(&self.line().await?)?)
    }

    /// Says a line, and waits for the end.
    pub(crate) async fn end(mut self, line: &str) -> anyhow::Result<()> {
        self.input.write_all(format!("{line}\n").as_bytes()).await?;
        timeout(LIMIT, self.child.wait())
            .await
            .context("no end")??;
        Ok(())
    }

    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        let line = timeout(LIMIT, self.lines.next_line()).await;
        line.context("nothing was said")??
            .context("the process ended")
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
