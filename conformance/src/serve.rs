//! [`Serve`]: `revoir serve` as a process.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Until it says where it listens.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A running `revoir serve`. Killed when it is dropped.
#[derive(Debug)]
pub struct Serve {
    child: Child,
    address: SocketAddr,
}

impl Serve {
    /// Starts `program`, with more arguments, on a free port of 127.0.0.1 and with as many file
    /// descriptors as it may have.
    ///
    /// # Errors
    ///
    /// It does not start, or does not say where it listens within a minute.
    pub async fn start(program: &Path, args: &[&OsStr]) -> anyhow::Result<Self> {
        let mut child = Command::new("sh")
            .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$0\" \"$@\""])
            .arg(program)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(args)
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
        let address = address(&line).with_context(|| format!("it says: {line}"))?;
        // It may go on talking.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { child, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of the process.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the process has ended")
    }
}

/// The address in the line that says where it listens.
fn address(line: &str) -> Option<SocketAddr> {
    let start = line.find("127.0.0.1:")?;
    let rest = &line[start..];
    let end = rest.find(['/', ',', ' ']).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_what_is_said() {
        let expected = SocketAddr::from(([127, 0, 0, 1], 9000));
        for line in [
            "the reference is at http://127.0.0.1:9000/",
            "listening on 127.0.0.1:9000, in front of ws://127.0.0.1:1",
        ] {
            assert_eq!(address(line), Some(expected), "{line}");
        }
        assert_eq!(address("error: cannot listen"), None);
    }
}
