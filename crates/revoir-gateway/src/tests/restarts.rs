use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use revoir::{Acceptor, Closer, Ending, Incoming, Message, Reason, SendCode, WebSocket};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::rules::Mode;
use crate::tests::ports::listen;
use crate::tests::support::{gateway, settings, soon};

const CLIENTS: usize = 200;

/// What a backend has seen of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    received: u64,
    sent: u64,
}

/// An echo server built from this project's own, in a runtime that can be torn down.
struct Backend {
    runtime: Option<Runtime>,
    listening: JoinHandle<()>,
    closers: Arc<Mutex<Vec<Closer>>>,
    /// By Revoir-Conn.
    seen: Arc<Mutex<HashMap<String, Seen>>>,
    /// Revoir-Conn and Revoir-Resume of every return.
    resumed: mpsc::UnboundedReceiver<(String, String)>,
}

impl Backend {
    fn start(listener: std::net::TcpListener) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let closers: Arc<Mutex<Vec<Closer>>> = Arc::default();
        let seen: Arc<Mutex<HashMap<String, Seen>>> = Arc::default();
        let (resumes, resumed) = mpsc::unbounded_channel();
        let serving = serve(listener, Arc::clone(&closers), Arc::clone(&seen), resumes);
        let listening = runtime.spawn(serving);
        Self {
            runtime: Some(runtime),
            listening,
            closers,
            seen,
            resumed,
        }
    }

    /// As a process that takes no more connections, and has said goodbye to some: of three connections
    /// it keeps one.
    async fn close_some(&mut self) {
        self.listening.abort();
        assert!(soon(&mut self.listening).await.is_err());
        let closers = std::mem::take(&mut *self.closers.lock().unwrap());
        let codes = [SendCode::SERVICE_RESTART, SendCode::GOING_AWAY];
        let mut closing = Vec::new();
        for three in closers.chunks(3) {
            for (closer, code) in three.iter().zip(codes) {
                drop(closer.close(code, Reason::EMPTY));
                closing.push(closer);
            }
        }
        for closer in closing {
            soon(closer.closed()).await;
        }
    }

    /// As a process that was killed.
    fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not in this thread, which is an asynchronous one.
            let gone = std::thread::spawn(|| runtime.shutdown_timeout(Duration::from_secs(10)));
            gone.join().unwrap();
            // They hold the sockets.
            self.closers.lock().unwrap().clear();
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn serve(
    listener: std::net::TcpListener,
    closers: Arc<Mutex<Vec<Closer>>>,
    seen: Arc<Mutex<HashMap<String, Seen>>>,
    resumes: mpsc::UnboundedSender<(String, String)>,
) {
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (closers, seen, resumes) = (Arc::clone(&closers), Arc::clone(&seen), resumes.clone());
        tokio::spawn(async move {
            let decide = |incoming: Incoming| async move {
                let field = |name| {
                    let value = incoming.headers().get(name)?;
                    Some(value.to_str().unwrap().to_owned())
                };
                let (conn, resume) = (field("revoir-conn").unwrap(), field("revoir-resume"));
                incoming.run(|socket| async move {
                    closers.lock().unwrap().push(socket.closer());
                    if let Some(resume) = resume {
                        resumes.send((conn.clone(), resume)).unwrap();
                    }
                    echo(socket, &conn, &seen).await;
                    Ok::<(), Arc<Ending>>(())
                })
            };
            Acceptor::new()
                .accept_incoming(stream, decide)
                .await
                .unwrap();
        });
    }
}

async fn echo(mut socket: WebSocket, conn: &str, seen: &Mutex<HashMap<String, Seen>>) {
    while let Ok(message) = socket.recv().await {
        seen.lock()
            .unwrap()
            .entry(conn.to_owned())
            .or_default()
            .received += 1;
        if socket.send(message).await.is_err() {
            return;
        }
        seen.lock()
            .unwrap()
            .entry(conn.to_owned())
            .or_default()
            .sent += 1;
    }
}

async fn exchange(client: &mut WebSocket, numbers: std::ops::Range<u32>) {
    for number in numbers {
        client.send_text(number.to_string()).await.unwrap();
        assert_eq!(received(client).await, number.to_string());
    }
}

async fn received(client: &mut WebSocket) -> String {
    match soon(client.recv()).await.unwrap() {
        Message::Text(text) => text.to_string(),
        other @ Message::Binary(_) => panic!("expected text, got {other:?}"),
    }
}

/// 200 clients exchange numbered messages; the backend goes and another one comes. It closes some
/// connections with 1012, some with 1001, and is killed with the rest.
#[tokio::test]
async fn a_backend_that_goes_and_comes_back_is_noticed_by_nobody() {
    let first = listen();
    let address = first.local_addr().unwrap();
    let mut backend = Backend::start(first);
    let between = gateway(address, settings(Mode::Hold)).await;
    let url = format!("ws://{}/", between.address);
    let mut clients = Vec::new();
    for index in 0..CLIENTS {
        let mut client = soon(revoir::connect(&url)).await.unwrap();
        // Every one another number of messages, some none.
        exchange(&mut client, 0..index as u32 % 4).await;
        clients.push(client);
    }

    backend.close_some().await;
    backend.kill();
    between.counts.held(CLIENTS).await;
    // Sent while there is no backend.
    for client in &mut clients {
        for number in 100..103 {
            client.send_text(number.to_string()).await.unwrap();
        }
        client.ping(b"").unwrap();
    }
    let before = backend.seen.lock().unwrap().clone();
    let mut backend = Backend::start(std::net::TcpListener::bind(address).unwrap());
    for client in &mut clients {
        for number in 100..103 {
            assert_eq!(received(client).await, number.to_string());
        }
        exchange(client, 103..106).await;
    }

    let mut resumed = HashMap::new();
    for _ in 0..CLIENTS {
        let (conn, resume) = soon(backend.resumed.recv()).await.unwrap();
        assert!(resumed.insert(conn, resume).is_none(), "one return each");
    }
    assert_eq!(resumed.len(), CLIENTS);
    for (conn, resume) in resumed {
        let seen = before.get(&conn).cloned().unwrap_or_default();
        let lost = if seen.received == 0 { "no" } else { "yes" };
        let expected = format!(
            "written={}, received={}, maybe-lost={lost}",
            seen.received, seen.sent
        );
        assert!(
            resume.ends_with(&expected),
            "{conn}: {resume} and not {expected}"
        );
        assert!(
            resume.starts_with(&format!("conn={conn}, held-ms=")),
            "{resume}"
        );
    }
    let ended = between.counts.ended.lock().unwrap();
    let closed: Vec<_> = ended
        .iter()
        .filter(|text| text.starts_with("client"))
        .collect();
    assert!(closed.is_empty(), "{closed:?}");
}
