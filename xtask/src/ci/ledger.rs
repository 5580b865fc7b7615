//! What each step took, while it runs and in a table at the end.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::process::{Running, processor_time};
use crate::report;

/// How often a step beside the others is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Steps {
    rows: Vec<StepRow>,
    /// Milliseconds of processor time of steps beside others, which our own time contains too.
    beside: Arc<AtomicU64>,
}

#[derive(Debug)]
struct StepRow {
    name: String,
    took: Took,
}

/// How long it was, and for how long it kept a processor busy, as far as that can be told.
#[derive(Clone, Copy, Debug)]
struct Took {
    wall: Duration,
    processor: Option<Duration>,
}

impl Steps {
    /// Steps that were made before: lines of a name and seconds of time, user time and system time, with
    /// tabs between them.
    pub(super) fn read(&mut self, lines: &str) -> anyhow::Result<()> {
        for line in lines.lines() {
            let [name, wall, user, system] = line.split('\t').collect::<Vec<_>>()[..] else {
                bail!("`{line}` is no step");
            };
            let seconds = |text: &str| text.parse().map(Duration::from_secs_f64);
            let took = Took {
                wall: seconds(wall)?,
                processor: Some(seconds(user)? + seconds(system)?),
            };
            self.add(name, took);
        }
        Ok(())
    }

    /// Names the step, runs it, and says how long it took.
    pub(super) fn step(
        &mut self,
        name: &str,
        run: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        report(&format!("== {name}"));
        let begin = (Instant::now(), self.own_time());
        let done = run();
        let took = Took {
            wall: begin.0.elapsed(),
            processor: self
                .own_time()
                .zip(begin.1)
                .map(|(now, then)| now.saturating_sub(then)),
        };
        self.add(name, took);
        done.with_context(|| format!("{name} FAILED after {took}"))?;
        report(&format!("   passed in {took}"));
        Ok(())
    }

    /// Has `cargo xtask ARGS` go on as a step beside `others`. All of them end, also if one fails.
    pub(super) fn beside(
        &mut self,
        name: &'static str,
        args: &[&str],
        others: impl FnOnce(&mut Self) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let started = self.start(name, args)?;
        let done = others(self);
        let finished = self.finish(vec![started]);
        done.and(finished)
    }

    /// Starts `cargo xtask ARGS` as a step beside the others. What it prints waits in a file.
    pub(super) fn start(&self, name: &'static str, args: &[&str]) -> anyhow::Result<Beside> {
        let folder = crate::root().join("target/ci");
        fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let running = Running::start(&mut command)?;
        let beside = Arc::clone(&self.beside);
        report(&format!("== {name}, beside what follows"));
        let waiting = thread::spawn(move || wait(running, &beside));
        Ok(Beside { name, log, waiting })
    }

    /// Waits for steps, and shows what each has printed. All of them end, also if one fails.
    pub(super) fn finish(&mut self, steps: Vec<Beside>) -> anyhow::Result<()> {
        let mut failed = Vec::new();
        for Beside { name, log, waiting } in steps {
            let Ok(done) = waiting.join() else {
                bail!("the thread that waits for {name} panicked");
            };
            report(&format!("== {name}"));
            let printed = fs::read(&log).with_context(|| format!("read {}", log.display()))?;
            report(String::from_utf8_lossy(&printed).trim_end());
            let (succeeded, took) = done.with_context(|| format!("wait for {name}"))?;
            self.add(name, took);
            if succeeded {
                report(&format!("   passed in {took}"));
            } else {
                report(&format!("   {name} FAILED after {took}"));
                failed.push(name);
            }
        }
        if !failed.is_empty() {
            bail!("{} FAILED", failed.join(", "));
        }
        Ok(())
    }

    /// Every step and the sum, as Markdown.
    pub(super) fn table(&self, whole: Duration) -> String {
        let mut table = "| step | s | s of a processor |\n|---|---:|---:|\n".to_owned();
        for StepRow { name, took } in &self.rows {
            table += &took.row(name);
        }
        let processor = self.rows.iter().filter_map(|row| row.took.processor).sum();
        let sum = Took {
            wall: whole,
            processor: Some(processor),
        };
        table + sum.row("all").trim_end()
    }

    /// How long the steps took that were made before.
    pub(super) fn before(&self) -> Duration {
        self.rows.iter().map(|row| row.took.wall).sum()
    }

    fn add(&mut self, name: &str, took: Took) {
        let name = name.to_owned();
        self.rows.push(StepRow { name, took });
    }

    /// The processor time of this process, and of the children that it waits for one by one.
    fn own_time(&self) -> Option<Duration> {
        let beside = Duration::from_millis(self.beside.load(Ordering::SeqCst));
        processor_time("self").map(|time| time.saturating_sub(beside))
    }
}

/// A step beside the others.
#[derive(Debug)]
pub(super) struct Beside {
    name: &'static str,
    log: PathBuf,
    waiting: JoinHandle<anyhow::Result<(bool, Took)>>,
}

/// Waits for the end. A step has a time limit of its own.
fn wait(mut running: Running, beside: &AtomicU64) -> anyhow::Result<(bool, Took)> {
    let begin = Instant::now();
    let id = running.id().to_string();
    let mut processor = None;
    loop {
        processor = processor_time(&id).or(processor);
        if let Some(status) = running.ended()? {
            let millis = processor.unwrap_or_default().as_millis();
            beside.fetch_add(millis.try_into().unwrap_or(u64::MAX), Ordering::SeqCst);
            let took = Took {
                wall: begin.elapsed(),
                processor,
            };
            return Ok((status.success(), took));
        }
        thread::sleep(LOOK);
    }
}

impl Took {
    fn row(self, name: &str) -> String {
        let processor = self.processor.map_or_else(
            || "?".to_owned(),
            |time| format!("{:.0}", time.as_secs_f64()),
        );
        format!(
            "| {name} | {:.0} | {processor} |\n",
            self.wall.as_secs_f64()
        )
    }
}

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0} s", self.wall.as_secs_f64())?;
        match self.processor {
            Some(time) => write!(f, " ({:.0} s of a processor)", time.as_secs_f64()),
            None => Ok(()),
        }
    }
}
