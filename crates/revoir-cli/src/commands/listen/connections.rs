//! [`Connections`]: what `listen` does with each connection, and what it tells of it.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use revoir::{Closer, ConnectionInfo, Ending, Observer, Reader, WebSocket, Writer};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::args::CloseWith;
use crate::events::{Events, Opened, What};

/// What the command line asks for.
#[derive(Debug)]
pub(super) struct Manner {
    pub(super) echo: bool,
    pub(super) close: Option<CloseWith>,
    pub(super) close_after: Option<Duration>,
}

/// All connections.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) manner: Manner,
    pub(super) events: Events,
    /// The number of the last connection.
    last: AtomicU64,
    /// How many have something to tell yet.
    busy: watch::Sender<usize>,
}

impl Connections {
    pub(super) fn new(manner: Manner, events: Events) -> Arc<Self> {
        Arc::new(Self {
            manner,
            events,
            last: AtomicU64::new(0),
            busy: watch::Sender::new(0),
        })
    }

    /// Everything between the opening and the ending of one.
    pub(super) async fn handle(self: Arc<Self>, socket: WebSocket, peer: String) {
        let (conn, closer) = (self.begin(), socket.closer());
        let opened = Opened::at_server(&socket, peer);
        // Who does not hear this stops the server soon.
        let _ = self.events.tell(Some(conn), What::Open(opened)).await;
        let (reader, writer) = socket.split();
        let ending = tokio::select! {
            ending = self.talk(conn, reader, writer) => ending,
            never = self.close_in_time(&closer) => match never {},
        };
        let what = What::Ending {
            ending,
            in_doubt: None,
        };
        let _ = self.events.tell(Some(conn), what).await;
        self.end();
    }

    /// Tells every message, and does with it what the command line asks for.
    async fn talk(&self, conn: u64, mut reader: Reader, mut writer: Writer) -> Arc<Ending> {
        let closer = reader.closer();
        loop {
            let message = match reader.recv().await {
                Ok(message) => message,
                Err(ending) => return ending,
            };
            let what = What::message(message.clone());
            let _ = self.events.tell(Some(conn), what).await;
            if self.manner.echo {
                // If it cannot be sent, the next message is the ending.
                let _ = writer.send(message).await;
            }
            if let (Some(close), None) = (&self.manner.close, self.manner.close_after) {
                drop(closer.close(close.code, close.reason));
            }
        }
    }

    /// With `--close-after`: closes when it is time.
    async fn close_in_time(&self, closer: &Closer) -> Infallible {
        if let (Some(close), Some(time)) = (&self.manner.close, self.manner.close_after) {
            // Few have such a time, and all would keep the room for it.
            Box::pin(sleep(time)).await;
            drop(closer.close(close.code, close.reason));
        }
        pending().await
    }

    /// Waits until all are over and everything is told.
    pub(super) async fn over(&self) {
        // The sender is here, so it cannot be gone.
        let _ = self.busy.subscribe().wait_for(|&busy| busy == 0).await;
    }

    /// The number of one that has something to tell.
    pub(super) fn begin(&self) -> u64 {
        self.busy.send_modify(|busy| *busy += 1);
        self.number()
    }

    /// It has told everything.
    pub(super) fn end(&self) {
        self.busy.send_modify(|busy| *busy -= 1);
    }

    fn number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Tells of those that never opened, which have no handler.
#[derive(Debug)]
pub(super) struct NeverOpened(pub(super) Arc<Connections>);

impl Observer for NeverOpened {
    fn ended(&self, _: &ConnectionInfo<'_>, ending: &Ending) {
        if ending.cause.was_open() {
            return;
        }
        let connections = Arc::clone(&self.0);
        let what = What::Ending {
            ending: Arc::new(ending.clone()),
            in_doubt: None,
        };
        let conn = connections.begin();
        tokio::spawn(async move {
            let _ = connections.events.tell(Some(conn), what).await;
            connections.end();
        });
    }
}
