//! Other processes: this program again, or a gateway; and what they cost.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
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
        let host = Ipv4Addr::LOCALHOST.into();
        let (child, address) = serve(&mut command(revoir, &[]), host, &path, &[]).await?;
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

/// The file of a gateway in `folder`, beside the keys of its sessions.
pub(crate) fn with_keys(folder: &Path, config: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join("revoir.toml");
    fs::write(&path, config)?;
    fs::write(folder.join("session.keys"), "07".repeat(32))?;
    Ok(path)
}

/// Has the gateway that `command` starts serve on a free port of `host`, and says which. It is killed when it is dropped.
pub(crate) async fn serve(
    command: &mut Command,
    host: IpAddr,
    config: &Path,
    more: &[&str],
) -> anyhow::Result<(Child, SocketAddr)> {
    let mut child = command
        .args(["serve", "--listen", &format!("{host}:0"), "--config"])
        .arg(config)
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("start {:?}", command.as_std()))?;
    let stderr = child.stderr.take().context("a pipe")?;
    let address = timeout(START_LIMIT, address(host, stderr)).await??;
    Ok((child, address))
}

/// Sends it a signal, as `kill` names it.
pub(crate) async fn signal(child: &Child, signal: &str) -> anyhow::Result<()> {
    let id = child.id().context("it ended")?.to_string();
    let kill = Command::new("kill").args([signal, &id]).status().await?;
    anyhow::ensure!(kill.success(), "kill {signal} {id}");
    Ok(())
}

/// Where a gateway says that it listens. What it says later is read, and not looked at.
async fn address(host: IpAddr, stderr: ChildStderr) -> anyhow::Result<SocketAddr> {
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
