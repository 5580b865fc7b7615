//! Other processes: this program again, or a gateway; and what they cost.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

pub(crate) const START_LIMIT: Duration = Duration::from_secs(60);

/// A process, killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub(crate) stdin: Option<ChildStdin>,
}

/// `program` with `args`, and with as many file descriptors as it may have.
fn command(program: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\""])
        .arg(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Process {
    /// This program, as another process.
    pub(crate) fn own(args: &[&str]) -> anyhow::Result<Self> {
        Self::start(&mut command(&std::env::current_exe()?, args))
    }

    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command.spawn().context("start a process")?;
        let stdout = child.stdout.take().context("a pipe")?;
        Ok(Self {
            lines: BufReader::new(stdout).lines(),
            stdin: child.stdin.take(),
            child,
        })
    }

    pub(crate) async fn line(&mut self) -> anyhow::Result<String> {
        self.lines.next_line().await?.context("the process ended")
    }

    /// The resident memory, in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        resident(self.child.id().context("the process ended")?)
    }
}

/// A gateway, with everything that its configuration says but where it listens.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Gateway {
    pub(crate) async fn start(revoir: &Path, config: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("revoir.toml");
        fs::write(&path, config)?;
        let path = path.to_str().context("the folder's name")?;
        let args = ["serve", "--listen", "127.0.0.1:0", "--config", path];
        let mut child = command(revoir, &args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", revoir.display()))?;
        let stderr = child.stderr.take().context("a pipe")?;
        let address = timeout(START_LIMIT, address(stderr)).await??;
        Ok(Self {
            child,
            address,
            _folder: folder,
        })
    }

    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        resident(self.id()?)
    }

    /// The time that its threads were on a processor, of those that there are.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.id()?))? {
            let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else {
                // It has ended meanwhile.
                continue;
            };
            let time = text.split(' ').next().context("schedstat is empty")?;
            nanos += time.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the gateway ended")
    }
}

/// Where a gateway on this machine says that it listens. What it says later is read, and not looked at.
pub(crate) async fn address(stderr: ChildStderr) -> anyhow::Result<SocketAddr> {
    address_on(Ipv4Addr::LOCALHOST.into(), stderr).await
}

/// The same of one that listens on this address.
pub(crate) async fn address_on(host: IpAddr, stderr: ChildStderr) -> anyhow::Result<SocketAddr> {
    let mut lines = BufReader::new(stderr).lines();
    let line = lines.next_line().await?.context("the gateway ended")?;
    let Some(start) = line.find(&format!("{host}:")) else {
        bail!("the gateway says: {line}");
    };
    let rest = &line[start..];
    let end = rest.find(['/', ',', ' ']).unwrap_or(rest.len());
    let address = rest[..end].parse()?;
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok(address)
}

fn resident(process: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.context("VmRSS")?.trim().trim_end_matches(" kB");
    Ok(kib.parse::<u64>()? * 1024)
}
