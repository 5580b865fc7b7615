//! `redis-server`, or another one that speaks as it does, on this machine.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What is started, if it is not `redis-server`: `valkey-server`, or a path.
const SERVER: &str = "REVOIR_REDIS_SERVER";

/// The file of a sentinel, which it writes, too.
const SENTINEL: &str = "sentinel.conf";

/// Within this a server listens, or something is wrong.
const START: Duration = Duration::from_secs(20);

/// Ends with its owner.
#[derive(Debug)]
pub(crate) struct Server {
    child: Option<Child>,
    args: Vec<String>,
    pub(crate) port: u16,
    /// Where it is, and keeps its files.
    folder: TempDir,
}

impl Server {
    /// One that keeps nothing beyond its process.
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut server = Self::new(args);
        server.run();
        server
    }

    /// One that watches the master on this port, and two others like it.
    pub(crate) fn sentinel(master: u16) -> Self {
        let mut server = Self::new(&["--sentinel"]);
        let lines = format!(
            "sentinel monitor main 127.0.0.1 {master} 2\n\
             sentinel down-after-milliseconds main 1000\n\
             sentinel failover-timeout main 3000\n"
        );
        std::fs::write(server.folder.path().join(SENTINEL), lines).unwrap();
        server.run();
        server
    }

    fn new(args: &[&str]) -> Self {
        Self {
            child: None,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            port: free_port(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it once it was killed, on the same port.
    pub(crate) fn run(&mut self) {
        let program = std::env::var(SERVER).unwrap_or_else(|_| "redis-server".to_owned());
        let mut command = Command::new(&program);
        let is_sentinel = self.args.iter().any(|arg| arg == "--sentinel");
        if is_sentinel {
            command.arg(self.folder.path().join(SENTINEL));
        }
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"]);
        command.args(["--dir", self.folder.path().to_str().unwrap()]);
        command.args(["--daemonize", "no", "--loglevel", "warning"]);
        if !is_sentinel {
            command.args(["--save", "", "--appendonly", "no"]);
        }
        command.args(&self.args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let started = command.spawn();
        self.child = Some(started.unwrap_or_else(|error| {
            panic!("{program} cannot be started ({error}); on Debian: apt-get install redis-server")
        }));
        let deadline = Instant::now() + START;
        while !self.answers() {
            assert!(Instant::now() < deadline, "{program} does not answer");
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "{program} has ended: {ended:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn answers(&self) -> bool {
        self.try_say(&["PING"])
            .is_some_and(|told| told.starts_with('+'))
    }

    /// Says a command, and gives what is answered within a second, as it comes.
    pub(crate) fn say(&self, command: &[&str]) -> String {
        let told = self.try_say(command).expect("it answers");
        assert!(!told.starts_with('-'), "{command:?}: {told}");
        told
    }

    fn try_say(&self, command: &[&str]) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        let mut out = format!("*{}\r\n", command.len());
        for word in command {
            out += &format!("${}\r\n{word}\r\n", word.len());
        }
        stream.write_all(out.as_bytes()).ok()?;
        // What follows it ends the answer.
        stream.write_all(b"*1\r\n$4\r\nQUIT\r\n").ok()?;
        let mut told = Vec::new();
        match stream.read_to_end(&mut told) {
            Err(error) if error.kind() == ErrorKind::WouldBlock && told.is_empty() => return None,
            _ => {}
        }
        let told = String::from_utf8_lossy(&told);
        Some(told.strip_suffix("+OK\r\n").unwrap_or(&told).to_owned())
    }

    /// Says it until the answer has this in it.
    pub(crate) fn say_until(&self, command: &[&str], wanted: &str) {
        let deadline = Instant::now() + START;
        while !self
            .try_say(command)
            .is_some_and(|told| told.contains(wanted))
        {
            assert!(Instant::now() < deadline, "{command:?} never has {wanted}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only for a child that has ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// It stands still until it is thawed.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One that nobody has, and nobody here had before: a server that was killed comes back to its port. Nodes of a cluster
/// listen on another one, 10,000 above. Of those that the system gives away by itself none is below 30,000.
fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed);
        assert!(given < 10_000, "no port is free");
        // Another process begins elsewhere.
        let low = 10_000 + (std::process::id().wrapping_mul(97).wrapping_add(given)) % 10_000;
        let low = u16::try_from(low).expect("it is below 20,000");
        if [low, low + 10_000]
            .iter()
            .all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        {
            return low;
        }
    }
}
