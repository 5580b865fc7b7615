//! Links over memory, with paused time.

mod closing;
mod coming_back;
mod fates;
mod model;
mod opening;
mod sending;

use std::collections::VecDeque;
use std::future::pending;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use revoir::reconnect::{Decision, LinkBuilder, LinkEvent, Unsent, Up};
use revoir::{Ending, Link, Message, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::support::memory::{self, End};
use crate::support::peer::{Peer, Side};
use crate::support::wire::Stream;

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug)]
enum Dial {
    Refused,
    /// It never comes to an end.
    Hangs,
}

/// The other side of a link: takes every attempt, unless it was told otherwise.
struct Harbour {
    arrivals: mpsc::UnboundedReceiver<(String, End)>,
    next: Arc<Mutex<VecDeque<Dial>>>,
}

/// A link to `url` before it starts, and its other side. The stream holds `capacity` bytes.
fn link_with(url: &str, capacity: usize) -> (LinkBuilder, Harbour) {
    let (sender, arrivals) = mpsc::unbounded_channel();
    let next = Arc::new(Mutex::new(VecDeque::new()));
    let told = Arc::clone(&next);
    let builder = Link::to(url).with_connector(move |url| {
        let sender = sender.clone();
        let dial = told.lock().unwrap().pop_front();
        async move {
            match dial {
                Some(Dial::Refused) => Err(ErrorKind::ConnectionRefused.into()),
                Some(Dial::Hangs) => pending::<io::Result<End>>().await,
                None => {
                    let (near, far) = memory::pair(capacity);
                    sender.send((url.to_string(), far)).unwrap();
                    Ok(near)
                }
            }
        }
    });
    (builder, Harbour { arrivals, next })
}

fn link() -> (LinkBuilder, Harbour) {
    link_with("ws://a.example/", 64 * 1024)
}

impl Harbour {
    fn then(&self, dials: impl IntoIterator<Item = Dial>) {
        self.next.lock().unwrap().extend(dials);
    }

    /// The stream of the next attempt, before its handshake.
    async fn arrival(&mut self) -> (String, End) {
        self.arrivals.recv().await.unwrap()
    }

    /// The next connection.
    async fn accept(&mut self) -> WebSocket {
        let (_, stream) = self.arrival().await;
        revoir::accept(stream).await.unwrap()
    }

    /// The next connection, by hand.
    async fn peer(&mut self) -> Peer {
        let (_, stream) = self.arrival().await;
        let mut peer = Peer::new(Stream::Memory(stream), Side::Client);
        peer.answer().await;
        peer
    }

    /// Takes the next request and answers it with `answer`. Returns the request.
    async fn answer(&mut self, answer: &str) -> String {
        let (_, mut stream) = self.arrival().await;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    }

    fn is_quiet(&mut self) -> bool {
        self.arrivals.try_recv().is_err()
    }
}

async fn up(link: &mut Link) -> Up {
    match link.recv().await {
        Some(LinkEvent::Up(up)) => up,
        other => panic!("{other:?}"),
    }
}

async fn down(link: &mut Link) -> (Arc<Ending>, Decision, Vec<Message>) {
    match link.recv().await {
        Some(LinkEvent::Down {
            ending,
            decision,
            unsent,
            ..
        }) => (ending, decision, messages(unsent)),
        other => panic!("{other:?}"),
    }
}

async fn gave_up(link: &mut Link) -> (Arc<Ending>, Decision, Vec<Message>) {
    let last = match link.recv().await {
        Some(LinkEvent::GaveUp {
            ending,
            decision,
            unsent,
            ..
        }) => (ending, decision, messages(unsent)),
        other => panic!("{other:?}"),
    };
    assert!(link.recv().await.is_none());
    last
}

fn messages(unsent: Vec<Unsent>) -> Vec<Message> {
    unsent.into_iter().map(|it| it.message).collect()
}

/// Time passes only while everybody waits, so this is exact, to the millisecond of timers.
#[track_caller]
fn assert_waited(since: Instant, expected: Duration) {
    let waited = since.elapsed();
    let late = waited.saturating_sub(expected);
    assert!(
        waited >= expected && late <= Duration::from_millis(2),
        "waited {waited:?}"
    );
}

fn text(text: &str) -> Message {
    Message::Text(text.to_owned().into())
}
