//! Processes that never outlive their deadline, nor the runner's interest in them.

use std::fs;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

const POLL: Duration = Duration::from_millis(20);

/// A process that is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    name: String,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().with_context(|| format!("start `{name}`"))?;
        Ok(Self { child, name })
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The pipe it prints to, if it has one that was not taken yet.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The same for its errors.
    pub(crate) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Waits for success.
    pub(crate) fn succeed(mut self, deadline: Instant) -> anyhow::Result<()> {
        let status = self.status(deadline)?;
        if !status.success() {
            bail!("`{}` failed: {status}", self.name);
        }
        Ok(())
    }

    /// Waits for its end, however that is.
    pub(crate) fn status(&mut self, deadline: Instant) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                bail!("`{}` did not end in time and was killed", self.name);
            }
            thread::sleep(POLL);
        }
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .with_context(|| format!("wait for `{}`", self.name))
    }

    /// Asks `is_ready` again and again, as long as the process runs.
    pub(crate) fn wait_until(
        &mut self,
        deadline: Instant,
        mut is_ready: impl FnMut() -> bool,
    ) -> anyhow::Result<()> {
        while !is_ready() {
            if let Some(status) = self.ended()? {
                bail!("`{}` ended too early: {status}", self.name);
            }
            if Instant::now() >= deadline {
                bail!("`{}` was not ready in time", self.name);
            }
            thread::sleep(POLL);
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time of a process, `self` or a number, and of all its children that have ended.
/// `None` without a `/proc`, or if the process is gone.
pub(crate) fn processor_time(process: &str) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program is the one field that may have spaces, and stands in parentheses.
    let (_, fields) = stat.rsplit_once(") ")?;
    // utime, stime, cutime, cstime: fields 14 to 17 of proc(5), in hundredths of a second.
    let times = fields.split(' ').skip(11).take(4);
    let ticks: u64 = times.filter_map(|time| time.parse::<u64>().ok()).sum();
    Some(Duration::from_millis(ticks * 10))
}
