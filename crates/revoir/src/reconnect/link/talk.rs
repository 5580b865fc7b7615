//! One connection of a link: messages both ways, and its end.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::sync::Arc;

use revoir_proto::Ending;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::driver::push_message;
use crate::reconnect::link::event::LinkEvent;
use crate::reconnect::link::outbox::Outbox;
use crate::reconnect::link::queue::Next;
use crate::reconnect::link::shared::{LinkShared, Order};
use crate::websocket::{Closer, Reader, WebSocket, Writer};

/// How a connection came to its end.
pub(super) enum Talked {
    /// Without the application: it may come back.
    Ended(Arc<Ending>),
    /// The application closed the link.
    Closed(Arc<Ending>),
}

/// Talks over `socket` to its ending. Afterwards the outbox knows what was written.
pub(super) async fn talk(
    socket: WebSocket,
    up: LinkEvent,
    events: &mpsc::Sender<LinkEvent>,
    shared: &LinkShared,
) -> Talked {
    let closer = socket.closer();
    let (mut reader, mut writer) = socket.split();
    let outbox = &shared.outbox;
    let receiving = async {
        tell(events, up).await;
        receive(&mut reader, events).await
    };
    let ordered = tokio::select! {
        ending = receiving => Err(ending),
        never = transmit(&mut writer, &closer, outbox) => match never {},
        order = shared.ordered() => Ok(order),
    };
    let talked = match ordered {
        Err(ending) => Talked::Ended(ending),
        Ok(order) => {
            push_the_rest(&mut writer, outbox).await;
            Talked::Closed(close(order, reader, writer, &closer, events).await)
        }
    };
    outbox.down(closer.written());
    talked
}

/// Closes as it was ordered, and waits for the end.
async fn close(
    order: Order,
    mut reader: Reader,
    writer: Writer,
    closer: &Closer,
    events: &mpsc::Sender<LinkEvent>,
) -> Arc<Ending> {
    match order {
        Order::Close { code, reason, site } => {
            let closed = closer.close_from(code, reason, site);
            // Messages still come; if nobody takes them, the budget ends it.
            tokio::select! {
                ending = receive(&mut reader, events) => ending,
                ending = closed => ending,
            }
        }
        Order::Dropped => {
            drop((reader, writer));
            closer.closed().await
        }
    }
}

pub(super) async fn tell(events: &mpsc::Sender<LinkEvent>, event: LinkEvent) {
    if events.send(event).await.is_err() {
        // The link was dropped, which is an order.
        pending().await
    }
}

/// Hands every message on, to the ending.
async fn receive(reader: &mut Reader, events: &mpsc::Sender<LinkEvent>) -> Arc<Ending> {
    loop {
        // A message is only taken when there is a place for it.
        let Ok(place) = events.reserve().await else {
            return pending().await;
        };
        match reader.recv().await {
            Ok(message) => place.send(LinkEvent::Message(message)),
            Err(ending) => return ending,
        }
    }
}

/// Moves messages from the outbox to the connection, as long as both are there.
async fn transmit(writer: &mut Writer, closer: &Closer, outbox: &Outbox) -> Infallible {
    while transmit_one(writer, outbox).await.is_ok() {
        outbox.note_written(closer.written());
    }
    // Nothing leaves any more, though messages that came before may still wait to be taken. The
    // ending comes to the reader behind them.
    outbox.down(closer.written());
    pending().await
}

/// Pushes the next message, or waits for one, or until those in flight were written.
async fn transmit_one(writer: &mut Writer, outbox: &Outbox) -> Result<(), Arc<Ending>> {
    let due = match outbox.next() {
        Next::Now => return push(writer, outbox).await,
        Next::At(due) => Some(due),
        Next::Nothing => None,
    };
    let waiting = async {
        match due {
            Some(due) => sleep_until(due).await,
            None => outbox.ready().await,
        }
    };
    tokio::select! {
        () = waiting => Ok(()),
        flushed = writer.flush(), if outbox.has_in_flight() => flushed,
    }
}

async fn push(writer: &mut Writer, outbox: &Outbox) -> Result<(), Arc<Ending>> {
    // Messages that follow at once are written together with the last one.
    let flush = outbox.is_last();
    let pushing = writer.push(flush, |core, now| {
        outbox.push(|message| {
            push_message(core, now, message)?;
            Ok(core.pushed_bytes())
        })
    });
    pushing.await
}

/// Moves what waits to the connection, as far as it takes it at once.
async fn push_the_rest(writer: &mut Writer, outbox: &Outbox) {
    while outbox.next() != Next::Nothing {
        let pushed = tokio::select! {
            biased;
            pushed = push(writer, outbox) => pushed,
            () = ready(()) => return,
        };
        if pushed.is_err() {
            return;
        }
    }
}
