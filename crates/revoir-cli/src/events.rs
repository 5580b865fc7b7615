//! [`Event`]: what happened to a connection, told by the network thread and written by the main one.

use std::sync::Arc;
use std::time::{Duration, Instant};

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
    Open(Opened),
    Message(Message),
    Ending(Arc<Ending>),
    /// Talk: a warning or a hint, without a place in the JSON.
    Note(String),
}

/// What an opening handshake agreed on.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Client: host and port of the URL. Server: the address of the peer.
    pub(crate) peer: String,
    pub(crate) subprotocol: Option<String>,
    /// As in Sec-WebSocket-Extensions.
    pub(crate) extensions: Option<String>,
    /// Client: which attempt it was.
    pub(crate) attempt: Option<u32>,
}

impl Opened {
    pub(crate) fn new(socket: &WebSocket, peer: String, attempt: Option<u32>) -> Self {
        let extensions = socket.extensions().to_string();
        Self {
            peer,
            subprotocol: socket.subprotocol().map(str::to_owned),
            extensions: Some(extensions).filter(|list| !list.is_empty()),
            attempt,
        }
    }
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
    pub(crate) async fn tell(&self, conn: Option<u64>, what: What) -> Result<(), Unheard> {
        let at = self.start.elapsed();
        let event = Event { at, conn, what };
        self.sender.send(event).await.map_err(|_| Unheard)
    }

    /// Waits until nobody listens any more.
    pub(crate) async fn unheard(&self) {
        self.sender.closed().await;
    }
}
