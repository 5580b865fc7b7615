//! Cases over HTTP: `GET /next`, `POST /events`, `GET /cases`, and a page that walks.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Notify, mpsc};
use tokio::task::JoinHandle;

use crate::told::{Event, Told};

/// The page that walks through the cases.
const PAGE: &str = include_str!("page.html");

/// The longest request.
const LONGEST: usize = 8 << 20;

/// So many cases are handed out in one answer at most, to who asks for many.
const MANY: usize = 16;

/// How long a question for the next case stays open.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a walk shares with the requests.
#[derive(Debug)]
struct Shared {
    told: Arc<Told>,
    cases: String,
    urls: Mutex<mpsc::Receiver<String>>,
    has_begun: Notify,
    is_over: AtomicBool,
    over: Notify,
}

/// Hands out cases over HTTP.
#[derive(Debug)]
pub(crate) struct Walk {
    address: SocketAddr,
    offers: mpsc::Sender<String>,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl Drop for Walk {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Walk {
    pub(crate) async fn begin(
        address: SocketAddr,
        told: Arc<Told>,
        cases: String,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (offers, urls) = mpsc::channel(MANY);
        let shared = Arc::new(Shared {
            told,
            cases,
            urls: Mutex::new(urls),
            has_begun: Notify::new(),
            is_over: AtomicBool::new(false),
            over: Notify::new(),
        });
        let serving = tokio::spawn(serve(listener, shared.clone()));
        Ok(Self {
            address,
            offers,
            shared,
            serving,
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until somebody asks for a case.
    pub(crate) async fn begun(&self) {
        self.shared.has_begun.notified().await;
    }

    /// Gives the URL to whoever asks next.
    pub(crate) async fn offer(&self, url: String) {
        // The other end lives as long as this one.
        let _ = self.offers.send(url).await;
    }

    /// Answers all who ask that there is no more.
    pub(crate) async fn finish(&self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.shared.over.notify_waiters();
        // Who asks at this moment shall hear it.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            let shared = shared.clone();
            tokio::spawn(async move {
                // Whoever asks wrongly gets nothing.
                let _ = answer(stream, &shared).await;
            });
        }
    }
}

async fn answer(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut chunk = [0; 16 * 1024];
        let length = stream.read(&mut chunk).await?;
        bytes.extend_from_slice(&chunk[..length]);
        if length == 0 || bytes.len() > LONGEST {
            return Ok(());
        }
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        if bytes.len() >= end + 4 + content_length(&head) {
            break (head, bytes.split_off(end + 4));
        }
    };
    let line = head.lines().next().unwrap_or_default();
    let (status, kind, text) = match line.split(' ').take(2).collect::<Vec<_>>()[..] {
        ["GET", "/"] => ("200 OK", "text/html; charset=utf-8", PAGE.to_owned()),
        ["GET", "/cases"] => ("200 OK", "application/json", shared.cases.clone()),
        ["GET", path @ ("/next" | "/next/many")] => {
            let most = if path == "/next" { 1 } else { MANY };
            match next(shared, most).await {
                Some(urls) => {
                    let answer = match most {
                        1 => serde_json::json!({ "url": urls.first().map_or("", |url| &**url) }),
                        _ => serde_json::json!({ "urls": urls }),
                    };
                    ("200 OK", "application/json", answer.to_string())
                }
                None => ("204 No Content", "application/json", String::new()),
            }
        }
        ["POST", "/events"] => {
            for line in String::from_utf8_lossy(&body).lines() {
                if let Ok(event) = serde_json::from_str::<Event>(line) {
                    shared.told.tell(event);
                }
            }
            ("204 No Content", "text/plain", String::new())
        }
        _ => (
            "404 Not Found",
            "text/plain",
            "there is /, /next, /next/many, /events and /cases\n".to_owned(),
        ),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Connection: close\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

fn content_length(head: &str) -> usize {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

/// The next URLs, at most so many. `None`: there are no more. A question that waits for long is answered
/// with none, and asked again.
async fn next(shared: &Shared, most: usize) -> Option<Vec<String>> {
    shared.has_begun.notify_one();
    let over = shared.over.notified();
    tokio::pin!(over);
    over.as_mut().enable();
    if shared.is_over.load(Ordering::SeqCst) {
        return None;
    }
    let offered = async {
        let mut urls = Vec::new();
        shared.urls.lock().await.recv_many(&mut urls, most).await;
        urls
    };
    tokio::select! {
        () = over => None,
        urls = offered => Some(urls),
        () = tokio::time::sleep(PATIENCE) => Some(Vec::new()),
    }
}
