//! [`Backend`]: a program that is not ours, and what it has counted.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::process::until;

/// How long a backend may take to start, or to end.
const LIMIT: Duration = Duration::from_secs(20);

/// How to start a backend.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) command: Vec<PathBuf>,
}

/// A connection, as the backend has seen it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// What the backend calls it.
    pub(crate) label: String,
    /// `Revoir-Conn`.
    pub(crate) conn: String,
    /// `Revoir-Resume`.
    pub(crate) resume: Option<String>,
    /// The numbers of the messages that came, in their order.
    pub(crate) got: Vec<u64>,
}

/// What all backends of one scenario have told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    listening: usize,
    connections: Vec<Seen>,
    /// Where a label stands in `connections`.
    labels: HashMap<String, usize>,
    /// Which of them are whose, in their order.
    clients: HashMap<String, Vec<usize>>,
    wrong: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line {
    Listening,
    Open {
        label: String,
        client: String,
        conn: String,
        resume: Option<String>,
    },
    Got {
        label: String,
        number: u64,
    },
}

impl Log {
    /// The connections of the client that asked for `path`.
    pub(crate) fn of(&self, path: &str) -> Vec<Seen> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let indices = told.clients.get(path).into_iter().flatten();
        indices.map(|at| told.connections[*at].clone()).collect()
    }

    /// How many connections there ever were.
    pub(crate) fn opened(&self) -> usize {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.connections.len()
    }

    /// A line that was none of those in the README.
    pub(crate) fn wrong(&self) -> Option<String> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.wrong.clone()
    }

    fn listening(&self) -> usize {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.listening
    }

    fn take(&self, line: &str) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = &mut *told;
        match serde_json::from_str(line) {
            Ok(Line::Listening) => told.listening += 1,
            Ok(Line::Open {
                label,
                client,
                conn,
                resume,
            }) => {
                let at = told.connections.len();
                told.labels.insert(label.clone(), at);
                told.clients.entry(client).or_default().push(at);
                told.connections.push(Seen {
                    label,
                    conn,
                    resume,
                    got: Vec::new(),
                });
            }
            Ok(Line::Got { label, number }) => match told.labels.get(&label) {
                Some(at) => told.connections[*at].got.push(number),
                None => told.wrong = Some(line.to_owned()),
            },
            Err(_) => told.wrong = Some(line.to_owned()),
        }
    }
}

/// A backend that runs.
#[derive(Debug)]
pub(crate) struct Backend {
    child: Child,
    stdin: ChildStdin,
    reading: tokio::task::JoinHandle<()>,
}

impl Backend {
    /// Starts it, and waits until it listens.
    pub(crate) async fn start(kind: &Kind, port: u16, run: u32, log: &Log) -> anyhow::Result<Self> {
        let before = log.listening();
        let mut child = Command::new(&kind.command[0])
            .args(&kind.command[1..])
            .args([port.to_string(), run.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {}", kind.command[0].display()))?;
        let stdin = child.stdin.take().context("it has an input")?;
        let stdout = child.stdout.take().context("it has an output")?;
        let reading = tokio::spawn(read(stdout, log.clone()));
        let backend = Self {
            child,
            stdin,
            reading,
        };
        let listens = until(LIMIT, || log.listening() > before).await;
        listens.with_context(|| format!("{} does not listen", kind.name))?;
        Ok(backend)
    }

    /// Has it close all connections with `code` and end, and waits for that.
    pub(crate) async fn close(mut self, code: u16) -> anyhow::Result<()> {
        let line = format!("{code}\n");
        self.stdin.write_all(line.as_bytes()).await?;
        let ended = timeout(LIMIT, self.child.wait()).await;
        ended.context("the backend does not end")??;
        Ok(self.reading.await?)
    }

    /// Kills it. What it has told before is told.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(self.reading.await?)
    }

    /// Freezes it, or lets it go on.
    pub(crate) async fn freeze(&self, frozen: bool) -> anyhow::Result<()> {
        let signal = if frozen { "-STOP" } else { "-CONT" };
        let process = self.child.id().context("the backend has ended")?;
        let kill = Command::new("kill")
            .args([signal, &process.to_string()])
            .status();
        if !kill.await?.success() {
            bail!("`kill {signal}` failed");
        }
        Ok(())
    }
}

async fn read(stdout: ChildStdout, log: Log) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        log.take(&line);
    }
}
