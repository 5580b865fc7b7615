//! Adapters as processes: started, told URLs, heard, and started again if they die.

use std::io;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::Mutex as AsyncMutex;

use crate::case::Role;
use crate::certificate::Certificate;
use crate::told::{Event, Told};

/// How long an adapter may take until it is ready.
pub(crate) const START_LIMIT: Duration = Duration::from_secs(60);

/// How long an adapter may take to end by itself.
const END_LIMIT: Duration = Duration::from_secs(2);

/// How often an adapter that dies is started again.
const STARTS: usize = 50;

/// The last bytes of stderr that are kept.
const KEPT: usize = 4000;

/// What every adapter is started with.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) command: String,
    pub(crate) role: Role,
    /// `CONFORM_CERT` and the like.
    pub(crate) environment: Vec<(String, String)>,
}

impl Start {
    pub(crate) fn new(command: &str, role: Role, tls: Option<&Certificate>) -> Self {
        Self {
            command: command.to_owned(),
            role,
            environment: tls
                .map(|certificate| certificate.environment(role))
                .unwrap_or_default(),
        }
    }
}

/// An adapter that runs, or can be made to.
#[derive(Debug)]
pub(crate) struct Adapter {
    start: Start,
    told: Arc<Told>,
    running: AsyncMutex<Option<Running>>,
    deaths: Arc<AtomicUsize>,
    starts: AtomicUsize,
    complaints: Arc<Mutex<String>>,
}

#[derive(Debug)]
struct Running {
    stdin: ChildStdin,
    port: u16,
    is_dead: Arc<AtomicBool>,
    /// Killed when it is dropped.
    child: Child,
}

impl Adapter {
    pub(crate) fn new(start: Start, told: Arc<Told>) -> Self {
        Self {
            start,
            told,
            running: AsyncMutex::new(None),
            deaths: Arc::default(),
            starts: AtomicUsize::new(0),
            complaints: Arc::default(),
        }
    }

    /// How often it has died.
    pub(crate) fn deaths(&self) -> usize {
        self.deaths.load(Ordering::SeqCst)
    }

    /// The last that it wrote on stderr.
    fn complaints(&self) -> String {
        self.complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The port that it listens on. Starts it if it does not run.
    pub(crate) async fn port(&self) -> io::Result<u16> {
        let mut running = self.running.lock().await;
        Ok(self.run(&mut running).await?.port)
    }

    /// Tells it to connect to a URL. Starts it if it does not run.
    pub(crate) async fn connect(&self, url: &str) -> io::Result<()> {
        let mut running = self.running.lock().await;
        let running = self.run(&mut running).await?;
        running
            .stdin
            .write_all(format!("{url}\n").as_bytes())
            .await?;
        running.stdin.flush().await
    }

    /// Ends its stdin, and lets it end what it has started; kills it if it takes too long.
    pub(crate) async fn finish(&self) {
        let running = self.running.lock().await.take();
        if let Some(Running {
            stdin, mut child, ..
        }) = running
        {
            drop(stdin);
            // One that is not over is killed here.
            let _ = tokio::time::timeout(END_LIMIT, child.wait()).await;
        }
    }

    async fn run<'a>(&self, running: &'a mut Option<Running>) -> io::Result<&'a mut Running> {
        if running
            .as_ref()
            .is_some_and(|running| running.is_dead.load(Ordering::SeqCst))
        {
            *running = None;
        }
        match running {
            Some(running) => Ok(running),
            None => Ok(running.insert(self.spawn().await?)),
        }
    }

    async fn spawn(&self) -> io::Result<Running> {
        if self.starts.fetch_add(1, Ordering::SeqCst) == STARTS {
            return Err(io::Error::other(format!(
                "the adapter has died {STARTS} times"
            )));
        }
        let mut command = self.command();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(mut stderr)) = pipes else {
            return Err(io::Error::other("the adapter has no pipes"));
        };
        let complaints = self.complaints.clone();
        tokio::spawn(async move {
            let mut lines = BufReader::new(&mut stderr);
            while let Some(line) = next_line(&mut lines).await {
                let mut kept = complaints.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_str(&line);
                kept.push('\n');
                let cut = kept.len().saturating_sub(KEPT);
                let cut = (cut..=kept.len())
                    .find(|at| kept.is_char_boundary(*at))
                    .unwrap_or(0);
                kept.drain(..cut);
            }
        });
        let (ready, is_ready) = tokio::sync::oneshot::channel();
        let is_dead = Arc::new(AtomicBool::new(false));
        let (told, deaths, dead) = (self.told.clone(), self.deaths.clone(), is_dead.clone());
        tokio::spawn(async move {
            let mut ready = Some(ready);
            let mut lines = BufReader::new(stdout);
            while let Some(line) = next_line(&mut lines).await {
                // What is no JSON is a library that prints.
                let Ok(event) = serde_json::from_str::<Event>(&line) else {
                    continue;
                };
                if event.event == "ready" {
                    if let Some(ready) = ready.take() {
                        let _ = ready.send(event.port.unwrap_or(0));
                    }
                    continue;
                }
                told.tell(event);
            }
            dead.store(true, Ordering::SeqCst);
            deaths.fetch_add(1, Ordering::SeqCst);
        });
        let Ok(Ok(port)) = tokio::time::timeout(START_LIMIT, is_ready).await else {
            let complaints = self.complaints();
            return Err(io::Error::other(format!(
                "the adapter did not become ready\n{complaints}"
            )));
        };
        Ok(Running {
            stdin,
            port,
            is_dead,
            child,
        })
    }

    fn command(&self) -> Command {
        let Start {
            command,
            role,
            environment,
        } = &self.start;
        // A shell reads the command as one would type it, and `exec` leaves no process in between.
        let mut started = Command::new("sh");
        started.args(["-c", &format!("exec {command} \"$@\""), "sh", role.id()]);
        if *role == Role::Server {
            started.arg("0");
        }
        started.envs(environment.iter().map(|(name, value)| (name, value)));
        started
    }
}

/// A line, though it be no UTF-8: that is no reason to call a process dead. Without its end.
async fn next_line(from: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    match from.read_until(b'\n', &mut line).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(String::from_utf8_lossy(&line).trim_end().to_owned()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn an_adapter_ends_by_itself() {
        let folder = std::env::temp_dir().join(format!("revoir-conform-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (script, over) = (folder.join("adapter.sh"), folder.join("over"));
        let text = format!(
            "echo '{{\"event\":\"ready\"}}'\ncat > {}\n: > {}\n",
            folder.join("urls").display(),
            over.display()
        );
        fs::write(&script, text).unwrap();
        let start = Start::new(&format!("sh {}", script.display()), Role::Client, None);
        let adapter = Adapter::new(start, Arc::default());
        adapter.connect("ws://127.0.0.1:1/a/1").await.unwrap();
        adapter.finish().await;
        let urls = fs::read_to_string(folder.join("urls")).unwrap();
        let is_over = over.exists();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(urls, "ws://127.0.0.1:1/a/1\n");
        assert!(is_over, "it was killed");
    }
}
