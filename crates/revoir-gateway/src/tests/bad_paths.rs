//! A backend that answers some paths only.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use revoir_proto::Role;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::rules::Mode;
use crate::tests::support::{Counts, Raw, accepted, dial, pair, request, settings, soon};

const BAD: usize = 30;

/// A backend that answers `/bad` with 503 once it is told so, and accepts everything else.
struct Backend {
    /// The first line of every request.
    asked: mpsc::UnboundedReceiver<String>,
    is_bad: watch::Sender<bool>,
}

impl Backend {
    fn start(listener: TcpListener, is_bad: bool) -> Self {
        let (told, asked) = mpsc::unbounded_channel();
        let (is_bad, changed) = watch::channel(is_bad);
        tokio::spawn(answer_all(listener, changed, told));
        Self { asked, is_bad }
    }

    /// So many handshakes of `/bad` come before that of `/good` which is asked for now.
    async fn bad_before(&mut self, address: SocketAddr) -> usize {
        while self.asked.try_recv().is_ok() {}
        let mut client = ask(address, "/good").await;
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        let mut before = 0;
        while !soon(self.asked.recv()).await.unwrap().contains("/good") {
            before += 1;
        }
        before
    }
}

async fn answer_all(
    listener: TcpListener,
    mut is_bad: watch::Receiver<bool>,
    told: mpsc::UnboundedSender<String>,
) {
    let mut open = Vec::new();
    loop {
        let (stream, _) = tokio::select! {
            taken = listener.accept() => taken.unwrap(),
            changed = is_bad.changed() => match changed {
                Ok(()) => {
                    open.clear();
                    continue;
                }
                Err(_) => return,
            },
        };
        let mut backend = Raw::new(stream, Role::Server);
        let head = backend.head().await;
        let line = head.lines().next().unwrap().to_owned();
        let refuses = *is_bad.borrow() && line.contains("/bad");
        let is_plain = !head.contains("websocket");
        match (refuses, is_plain) {
            (true, _) => {
                let answer = "HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
                backend.write(answer.as_bytes()).await;
            }
            (false, true) => {
                let answer = "HTTP/1.1 204 Yes\r\nConnection: close\r\n\r\n";
                backend.write(answer.as_bytes()).await;
            }
            (false, false) => {
                accepted(&mut backend, &head, "").await;
                open.push(backend);
            }
        }
        let _ = told.send(line);
    }
}

async fn ask(address: SocketAddr, path: &str) -> Raw {
    let mut client = dial(address).await;
    let request = request("").replace("/chat?a=b", path);
    client.write(request.as_bytes()).await;
    client
}

async fn plain(address: SocketAddr, path: &str) -> String {
    let mut client = dial(address).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client.write(request.as_bytes()).await;
    client.head().await
}

#[tokio::test]
async fn handshakes_of_a_bad_path_keep_nobody_else_waiting() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut backend = Backend::start(listener, true);
    let mut bad = Vec::new();
    for _ in 0..BAD {
        bad.push(ask(between.address, "/bad").await);
    }
    for client in &mut bad {
        assert!(client.head().await.starts_with("HTTP/1.1 503 "));
    }
    assert_eq!(backend.bad_before(between.address).await, 0);
}

#[tokio::test]
async fn held_clients_of_a_bad_path_keep_nobody_else_waiting() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut backend = Backend::start(listener, false);
    let mut bad = Vec::new();
    for _ in 0..BAD {
        let mut client = ask(between.address, "/bad").await;
        assert!(client.head().await.starts_with("HTTP/1.1 101 "));
        bad.push(client);
    }
    backend.is_bad.send_replace(true);
    between.counts.held(BAD).await;
    // Those who are held try, and go on trying.
    let failed = |counts: &Counts| counts.failed.load(Ordering::SeqCst);
    between.counts.at_least(failed, 3).await;
    let before = backend.bad_before(between.address).await;
    // Those that were on their way already, and hardly one more.
    assert!(before < BAD, "{before}");
}

#[tokio::test]
async fn a_plain_request_that_is_answered_badly_keeps_nobody_waiting() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let mut backend = Backend::start(listener, true);
    for _ in 0..BAD {
        let head = plain(between.address, "/bad").await;
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    }
    assert_eq!(backend.bad_before(between.address).await, 0);
    let mut bad = Vec::new();
    for _ in 0..BAD {
        bad.push(ask(between.address, "/bad").await);
    }
    for client in &mut bad {
        client.head().await;
    }
    let head = plain(between.address, "/good").await;
    assert!(head.starts_with("HTTP/1.1 204 "), "{head}");
}
