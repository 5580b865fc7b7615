//! Server processes, and what the kernel knows about them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::thread::CpuSet;

use crate::stacks::Stack;

/// The processor of the servers.
pub const SERVER_CPU: usize = 0;

/// The processor of the load.
pub const LOAD_CPU: usize = 1;

/// Keeps this thread, and those it starts, on one processor.
///
/// # Errors
///
/// If there is no such processor.
pub fn pin(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    rustix::thread::sched_setaffinity(None, &set)
        .with_context(|| format!("processor {cpu} is needed"))
}

/// A server that runs. It ends with this value, and with this process.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts the program beside this one, and waits until it listens.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub fn start(stack: &Stack) -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name("echo-server");
        let mut child = Command::new(program)
            .arg(stack.name)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("it has an output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let port: u16 = line
            .trim()
            .parse()
            .with_context(|| format!("{} does not listen", stack.name))?;
        Ok(Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        })
    }

    /// The time its threads were on a processor. Exact once the server sleeps.
    ///
    /// # Errors
    ///
    /// If the kernel does not count.
    pub fn cpu_time(&self) -> Result<Duration> {
        let mut time = Duration::ZERO;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            let nanos = text.split(' ').next().context("schedstat is empty")?;
            time += Duration::from_nanos(nanos.parse()?);
        }
        Ok(time)
    }

    /// Bytes of memory that are resident.
    ///
    /// # Errors
    ///
    /// If the kernel does not count.
    pub fn resident(&self) -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Rss:"));
        let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
        let kib: u64 = kib.context("smaps_rollup has no Rss")?.trim().parse()?;
        Ok(kib * 1024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
