//! The programs of a measurement, and what the kernel knows about them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use revoir_echo::process::SERVER_CPU;

/// How long a relay may take until it listens.
const TO_START: Duration = Duration::from_secs(10);

/// A program that runs. It ends with this value.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    /// Where the backend listens; a relay was told.
    pub(crate) port: u16,
}

impl Program {
    /// Starts the backend, and waits until it listens.
    pub(crate) fn backend() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("backend")
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("it has an output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let mut program = Self { child, port: 0 };
        program.port = line.trim().parse().context("the backend does not listen")?;
        Ok(program)
    }

    /// Starts a relay on the processor that is measured.
    pub(crate) fn relay(command: &[String], port: u16) -> Result<Self> {
        let cpu = SERVER_CPU.to_string();
        let child = Command::new("taskset")
            .args(["--cpu-list", &cpu])
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("start taskset, of util-linux")?;
        Ok(Self { child, port })
    }

    /// Waits until it takes connections.
    pub(crate) fn wait_for(&self, address: SocketAddr) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if start.elapsed() > TO_START {
                bail!("it does not listen; is it installed?");
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// The time its threads were on a processor, user and system. Exact once they sleep; all of
    /// them live as long as it does.
    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            let time = text.split(' ').next().context("schedstat is empty")?;
            nanos += time.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
