//! Other processes, and waiting for what they do.

use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);

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
    /// Starts this program with as many file descriptors as it may have.
    fn start(args: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let mut child = Command::new("sh")
            .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\""])
            .arg(&program)
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
        let mut process = Self::start(args)?;
        match process.line().await?.as_str() {
            "up" => Ok(process),
            other => bail!("`{}` says: {other}", args.join(" ")),
        }
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

/// Waits until `holds`.
pub(crate) async fn until(limit: Duration, mut holds: impl FnMut() -> bool) -> anyhow::Result<()> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > limit {
            bail!("not within {} s", limit.as_secs());
        }
        sleep(LOOK).await;
    }
    Ok(())
}

/// How busy the machine is: its load of the last minute and its processors, as Linux tells them.
pub(crate) fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    let processors = std::thread::available_parallelism();
    let processors = processors.map_or(0, std::num::NonZeroUsize::get);
    format!("{load} on {processors} processors")
}
