//! The program as a process that goes on while it is watched.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::command;

/// How long a test waits for what has to come. It is long, so that it only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program. It is killed if a test drops it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Owned,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    notes: Receiver<String>,
    /// Where it keeps its socket, if it has one.
    runtime: TempDir,
}

/// A child that does not outlive its owner, not even one that panics.
#[derive(Debug)]
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // Both fail only for a child that was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is left of it.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: Option<i32>,
    /// The lines of stdout that nobody has taken.
    pub(crate) stdout: Vec<String>,
    /// Stderr, but for the notes that were waited for.
    pub(crate) stderr: String,
}

impl Process {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::of(command(args))
    }

    /// The program, where it may have so many files open.
    pub(crate) fn with_files(limit: u32, args: &[&str]) -> Self {
        let plain = command(args);
        let mut limited = Command::new("sh");
        let script = format!("ulimit -n {limit}; exec \"$0\" \"$@\"");
        limited.args(["-c", &script]).arg(plain.get_program());
        Self::of({
            limited.args(plain.get_args());
            limited
        })
    }

    fn of(mut command: Command) -> Self {
        let runtime = tempfile::tempdir().expect("a folder");
        let mut child = command
            .env("XDG_RUNTIME_DIR", runtime.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        Self {
            stdin: child.stdin.take(),
            lines: lines(child.stdout.take().expect("it is piped")),
            notes: lines(child.stderr.take().expect("it is piped")),
            child: Owned(child),
            runtime,
        }
    }

    /// The next line of stdout.
    #[track_caller]
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line of stdout")
    }

    /// Waits for a line on stderr.
    #[track_caller]
    pub(crate) fn note(&self, expected: &str) {
        assert_eq!(self.next_note(), expected);
    }

    /// The next line of stderr.
    #[track_caller]
    pub(crate) fn next_note(&self) -> String {
        let line = self.notes.recv_timeout(PATIENCE);
        line.expect("a line of stderr")
    }

    /// The next event, which has to be this one.
    #[track_caller]
    pub(crate) fn event(&self, name: &str) -> Value {
        let line = self.line();
        let event: Value = serde_json::from_str(&line).expect(&line);
        assert_eq!(event["event"], name, "{line}");
        event
    }

    /// Its XDG_RUNTIME_DIR.
    pub(crate) fn runtime_dir(&self) -> &Path {
        self.runtime.path()
    }

    pub(crate) fn write(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("it is open");
        stdin.write_all(text.as_bytes()).expect("somebody reads");
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.0.id()
    }

    /// Has the program have so many files open at most, from now on.
    #[cfg(target_os = "linux")]
    pub(crate) fn limit_files(&self, limit: usize) {
        let id = self.id().to_string();
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &id, &format!("--nofile={limit}:")]);
        assert!(prlimit.status().expect("util-linux is there").success());
    }

    /// Sends a signal: `INT` or `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -s {name} {}", self.child.0.id());
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(status.expect("there is a shell").success());
    }

    /// Waits for the end of the program. Stdin stays open meanwhile.
    #[track_caller]
    pub(crate) fn end(mut self) -> Ended {
        let mut stdout = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => stdout.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the program goes on after {stdout:?}"),
            }
        }
        let status = self.child.0.wait().expect("it was not waited for");
        Ended {
            exit: status.code(),
            stdout,
            stderr: self.notes.iter().map(|line| line + "\n").collect(),
        }
    }
}

/// The lines of a pipe, read whether somebody wants them or not.
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            if sender.send(line.expect("UTF-8")).is_err() {
                return;
            }
        }
    });
    receiver
}
