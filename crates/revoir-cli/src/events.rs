//! [`Event`]: what happened to a connection, told by the network thread and written by the main one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use revoir::{Ending, Finish, Message, WebSocket};
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
    Message(Message),
    Ending(Arc<Ending>),
    /// A server has ended all its connections.
    Drained(Drained),
    /// Talk: a warning or a hint, without a place in the JSON.
    Note(String),
}

/// Where a server takes connections.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) addr: SocketAddr,
    pub(crate) secure: bool,
}

/// How the connections ended that were open when a server was asked to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drained {
    pub(crate) connections: u64,
    /// Those that were sent a Close frame.
    pub(crate) told: u64,
    pub(crate) answered: u64,
    pub(crate) timeout: u64,
    pub(crate) eof: u64,
    pub(crate) reset: u64,
}

impl Drained {
    pub(crate) fn count(&mut self, ending: &Ending) {
        self.connections += 1;
        self.told += u64::from(ending.sent.is_some());
        match ending.finish {
            Finish::Answered => self.answered += 1,
            Finish::Timeout => self.timeout += 1,
            Finish::Eof => self.eof += 1,
            Finish::Reset => self.reset += 1,
            // It was open.
            Finish::None => {}
        }
    }
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
