//! Cases over HTTP: `GET /next`, `POST /events`, `GET /cases`, and a page that walks.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::subjects::handout::{Handout, Offer};
use crate::told::{Event, Told};

/// The page that walks through the cases.
const PAGE: &str = include_str!("page.html");

/// The longest request.
const LONGEST: usize = 8 << 20;

/// So many cases are handed out in one answer at most, to who asks for many.
const MANY: usize = 16;

/// What a walk shares with the requests.
#[derive(Debug)]
struct Shared {
    told: Arc<Told>,
    cases: String,
    handout: Handout,
}

/// Hands out cases over HTTP.
#[derive(Debug)]
pub(crate) struct Walk {
    address: SocketAddr,
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
        let shared = Arc::new(Shared {
            told,
            cases,
            handout: Handout::new(),
        });
        let serving = tokio::spawn(serve(listener, shared.clone()));
        Ok(Self {
            address,
            shared,
            serving,
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until somebody asks for a case.
    pub(crate) async fn begun(&self) {
        self.shared.handout.begun().await;
    }

    /// Gives the URL to whoever asks next.
    ///
    /// # Errors
    ///
    /// If nobody asks any more.
    pub(crate) async fn offer(&self, url: String) -> io::Result<()> {
        self.shared.handout.offer(url).await
    }

    /// Answers all who ask that there is no more.
    pub(crate) async fn finish(&self) {
        self.shared.handout.finish();
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
    if let Some(many) = asked_for(line) {
        return hand_out(&mut stream, &shared.handout, many).await;
    }
    let (status, kind, text) = match line.split(' ').take(2).collect::<Vec<_>>()[..] {
        ["GET", "/"] => ("200 OK", "text/html; charset=utf-8", PAGE.to_owned()),
        ["GET", "/cases"] => ("200 OK", "application/json", shared.cases.clone()),
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
    respond(&mut stream, status, kind, &text).await
}

async fn respond(stream: &mut TcpStream, status: &str, kind: &str, text: &str) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Connection: close\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

/// How many cases a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    One,
    Many(usize),
}

/// `None`: it asks for something else.
fn asked_for(line: &str) -> Option<Wanted> {
    let path = line.strip_prefix("GET ")?.split(' ').next()?;
    match path.split_once('?').unwrap_or((path, "")) {
        ("/next", _) => Some(Wanted::One),
        ("/next/many", query) => {
            let most = query
                .strip_prefix("most=")
                .and_then(|most| most.parse().ok());
            Some(Wanted::Many(most.unwrap_or(MANY).clamp(1, MANY)))
        }
        _ => None,
    }
}

/// Answers with the next cases. Those that the asker did not get are for the next who asks.
async fn hand_out(stream: &mut TcpStream, handout: &Handout, wanted: Wanted) -> io::Result<()> {
    let most = match wanted {
        Wanted::One => 1,
        Wanted::Many(most) => most,
    };
    // Whoever is gone has nothing to say, and takes no case with it.
    let offers = tokio::select! {
        offers = handout.next(most) => offers,
        () = ends(stream) => return Ok(()),
    };
    let Some(offers) = offers else {
        return respond(stream, "204 No Content", "application/json", "").await;
    };
    let urls: Vec<&str> = offers.iter().map(|offer| &*offer.url).collect();
    let answer = match wanted {
        Wanted::One => serde_json::json!({ "url": urls.first().unwrap_or(&"") }),
        Wanted::Many(_) => serde_json::json!({ "urls": urls }),
    };
    let sent = respond(stream, "200 OK", "application/json", &answer.to_string()).await;
    match &sent {
        Ok(()) => offers.into_iter().for_each(Offer::taken),
        Err(_) => handout.give_back(offers),
    }
    sent
}

/// Until nothing comes any more. What comes before that is not for us.
async fn ends(stream: &mut TcpStream) {
    let mut ignored = [0; 64];
    while !matches!(stream.read(&mut ignored).await, Ok(0) | Err(_)) {}
}

fn content_length(head: &str) -> usize {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{MANY, Wanted, asked_for};

    #[test]
    fn a_question_says_how_many() {
        assert_eq!(asked_for("GET /next HTTP/1.1"), Some(Wanted::One));
        assert_eq!(
            asked_for("GET /next/many HTTP/1.1"),
            Some(Wanted::Many(MANY))
        );
        assert_eq!(
            asked_for("GET /next/many?most=3 HTTP/1.1"),
            Some(Wanted::Many(3))
        );
        assert_eq!(
            asked_for("GET /next/many?most=0 HTTP/1.1"),
            Some(Wanted::Many(1))
        );
        assert_eq!(
            asked_for("GET /next/many?most=99 HTTP/1.1"),
            Some(Wanted::Many(MANY))
        );
        assert_eq!(asked_for("GET /cases HTTP/1.1"), None);
        assert_eq!(asked_for("POST /next HTTP/1.1"), None);
    }
}
