//! [`Event`]: what happened to a connection, told by the network thread and written by the main one.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use revoir::drain::DrainReport;
use revoir::handshake::AgreedExtensions;
use revoir::reconnect::{Decision, Up};
use revoir::session::{self, Key};
use revoir::{Ending, Message, WebSocket};
use tokio::sync::mpsc;

/// Events that may wait to be written. Then the network side waits, and stops taking messages.
const WAITING: usize = 64;

/// Something that happened.
#[derive(Debug)]
pub(crate) struct Event {
    /// Since the command started.
    pub(crate) at: Duration,
    /// The connection, from 1; `None` where it is not about one.
    pub(crate) conn: Option<u64>,
    pub(crate) what: What,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum What {
    /// A server takes connections now.
    Listening(Listening),
    Open(Opened),
    Message {
        message: Message,
        /// With a session: what it is called.
        key: Option<Key>,
    },
    Ending {
        ending: Arc<Ending>,
        /// At a client: the messages, by their numbers from 0, of which nobody knows whether they arrived.
        in_doubt: Option<Range<u64>>,
    },
    /// With a session: what is neither a message nor about a connection.
    Session(session::Event),
    /// What a client does after an ending.
    Decision(Decision),
    /// Time passes until the next attempt. It has no place in the JSON.
    Countdown(Countdown),
    /// A server has ended all its connections.
    Drained(DrainReport),
    /// Talk: a warning or a hint, without a place in the JSON.
    Note(String),
}

impl What {
    /// A message outside of sessions.
    pub(crate) const fn message(message: Message) -> Self {
        let key = None;
        Self::Message { message, key }
    }
}

/// Where a server takes connections.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) addr: SocketAddr,
    pub(crate) secure: bool,
}

/// The time until the next attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Countdown {
    pub(crate) left: Duration,
    pub(crate) attempt: u32,
}

/// What an opening handshake agreed on.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Client: host and port of the URL. Server: the address of the peer.
    pub(crate) peer: String,
    pub(crate) subprotocol: Option<String>,
    /// As in Sec-WebSocket-Extensions.
    pub(crate) extensions: Option<String>,
    /// Client: how many attempts to come back it took, 0 for the first connection.
    pub(crate) attempt: Option<u32>,
}

impl Opened {
    /// At a server.
    pub(crate) fn at_server(socket: &WebSocket, peer: String) -> Self {
        Self {
            peer,
            subprotocol: socket.subprotocol().map(str::to_owned),
            extensions: text_of(socket.extensions()),
            attempt: None,
        }
    }

    /// At a client.
    pub(crate) fn of_link(up: &Up) -> Self {
        Self {
            peer: authority(&up.url).to_owned(),
            subprotocol: up.subprotocol.clone(),
            extensions: text_of(up.extensions),
            attempt: Some(up.attempt),
        }
    }
}

fn text_of(extensions: AgreedExtensions) -> Option<String> {
    Some(extensions.to_string()).filter(|list| !list.is_empty())
}

/// Host and port of a URL that was connected to.
fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    &rest[..end]
}

/// Nobody writes events any more: stdout is closed.
#[derive(Debug)]
pub(crate) struct Unheard;

/// Where the network side tells its events. Clones tell the same writer.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    sender: mpsc::Sender<Event>,
    start: Instant,
}

impl Events {
    pub(crate) fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let start = Instant::now();
        (Self { sender, start }, receiver)
    }

    /// Tells an event. It is over when there is room for it, not when it is written.
    ///
    /// The event waits on the heap: thousands of handlers that wait for their next message keep no room
    /// for one.
    pub(crate) fn tell(
        &self,
        conn: Option<u64>,
        what: What,
    ) -> impl Future<Output = Result<(), Unheard>> {
        let at = self.start.elapsed();
        let sending = Box::pin(self.sender.send(Event { at, conn, what }));
        async move { sending.await.map_err(|_| Unheard) }
    }

    /// Waits until nobody listens any more.
    pub(crate) async fn unheard(&self) {
        self.sender.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_is_what_stands_between_scheme_and_path() {
        assert_eq!(authority("ws://a.example:9000/chat?x=/"), "a.example:9000");
        assert_eq!(authority("wss://[::1]?x"), "[::1]");
        assert_eq!(authority("ws://a.example"), "a.example");
    }
}
