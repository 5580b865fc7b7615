//! [`Connections`]: what `listen` does with a connection, and which ones there are.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use revoir::{Closer, Ending, Observer, Reader, Reason, Role, SendCode, WebSocket, Writer};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::args::CloseWith;
use crate::events::{Drained, Events, Opened, What};

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
    manner: Manner,
    events: Events,
    /// The number of the last connection.
    last: AtomicU64,
    open: Mutex<Open>,
    /// How many have something to tell yet.
    busy: watch::Sender<usize>,
}

/// The open ones.
#[derive(Debug, Default)]
struct Open {
    closers: HashMap<u64, Closer>,
    stopping: Option<Stopping>,
}

/// Since the server was asked to stop.
#[derive(Debug)]
struct Stopping {
    code: SendCode,
    drained: Drained,
}

impl Connections {
    pub(super) fn new(manner: Manner, events: Events) -> Arc<Self> {
        Arc::new(Self {
            manner,
            events,
            last: AtomicU64::new(0),
            open: Mutex::default(),
            busy: watch::Sender::new(0),
        })
    }

    /// Everything between the opening and the ending of one.
    pub(super) async fn handle(self: Arc<Self>, socket: WebSocket, peer: String) {
        let (conn, closer) = (self.number(), socket.closer());
        self.enter(conn, closer.clone());
        let opened = Opened::at_server(&socket, peer);
        // Who does not hear this stops the server soon.
        let _ = self.events.tell(Some(conn), What::Open(opened)).await;
        let (reader, writer) = socket.split();
        let ending = tokio::select! {
            ending = self.talk(conn, reader, writer) => ending,
            never = self.close_in_time(&closer) => match never {},
        };
        self.leave(conn, &ending);
        let _ = self.events.tell(Some(conn), What::Ending(ending)).await;
        self.busy.send_modify(|busy| *busy -= 1);
    }

    /// Tells every message, and does with it what the command line asks for.
    async fn talk(&self, conn: u64, mut reader: Reader, mut writer: Writer) -> Arc<Ending> {
        let closer = reader.closer();
        loop {
            let message = match reader.recv().await {
                Ok(message) => message,
                Err(ending) => return ending,
            };
            let what = What::Message(message.clone());
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
            sleep(time).await;
            drop(closer.close(close.code, close.reason));
        }
        pending().await
    }

    /// Closes all with `code`, also those that are still to open.
    pub(super) fn stop(&self, code: SendCode) {
        let mut open = self.open();
        for closer in open.closers.values() {
            drop(closer.close(code, Reason::EMPTY));
        }
        let drained = Drained::default();
        open.stopping = Some(Stopping { code, drained });
    }

    /// Waits until all are over and everything is told.
    pub(super) async fn over(&self) {
        // The sender is here, so it cannot be gone.
        let _ = self.busy.subscribe().wait_for(|&busy| busy == 0).await;
    }

    /// How the connections ended since [`stop`](Self::stop); those that did not end were told
    /// nothing.
    pub(super) fn drained(&self) -> Drained {
        let open = self.open();
        let stopping = open.stopping.as_ref();
        let mut drained = stopping.map_or_else(Drained::default, |stopping| stopping.drained);
        drained.connections += open.closers.len() as u64;
        drained
    }

    fn number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn enter(&self, conn: u64, closer: Closer) {
        self.busy.send_modify(|busy| *busy += 1);
        let mut open = self.open();
        if let Some(stopping) = &open.stopping {
            drop(closer.close(stopping.code, Reason::EMPTY));
        }
        open.closers.insert(conn, closer);
    }

    fn leave(&self, conn: u64, ending: &Ending) {
        let mut open = self.open();
        open.closers.remove(&conn);
        if let Some(stopping) = &mut open.stopping {
            stopping.drained.count(ending);
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells of those that never opened, which have no handler.
#[derive(Debug)]
pub(super) struct NeverOpened(pub(super) Arc<Connections>);

impl Observer for NeverOpened {
    fn ended(&self, _: Role, ending: &Ending) {
        if ending.cause.was_open() {
            return;
        }
        let connections = Arc::clone(&self.0);
        let what = What::Ending(Arc::new(ending.clone()));
        connections.busy.send_modify(|busy| *busy += 1);
        tokio::spawn(async move {
            let conn = connections.number();
            let _ = connections.events.tell(Some(conn), what).await;
            connections.busy.send_modify(|busy| *busy -= 1);
        });
    }
}
