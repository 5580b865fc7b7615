//! [`talk`]: one connection of a session, at either end.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_sink::Sink;
use revoir_codes::SendCode;
use revoir_proto::{Ending, Reason};
use revoir_session::{Close, ConnectionId, GoAway, Origin};
use tokio::time::{Instant, sleep_until, timeout};

use crate::session::end::{End, ToWrite};
use crate::websocket::{Closer, Reader, WebSocket, Writer};

/// So long a peer that was silent is given for an answer to its Close frame.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Talks over `socket` to its ending.
pub(super) async fn talk(end: &End, socket: WebSocket, id: ConnectionId) -> Arc<Ending> {
    let closer = socket.closer();
    let (mut reader, mut writer) = socket.split();
    let mut draining = pin!(closer.draining());
    let mut is_drained = false;
    let mut changed = pin!(end.for_connection().notified());
    changed.as_mut().enable();
    let mut timer = pin!(sleep_until(Instant::now()));
    let mut rings: Option<Instant> = None;
    // Whether there may be something to write.
    let mut writes = true;
    let ending = loop {
        let Some(turn) = end.turn(id) else {
            // Another connection has the session.
            close(&closer, &Close::taken_over());
            break rest(&mut reader).await;
        };
        if let Some(due) = turn.due
            && rings.is_none_or(|rings| due < rings)
        {
            timer.as_mut().reset(due);
            rings = Some(due);
        }
        tokio::select! {
            biased;
            () = &mut changed => {
                changed.set(end.for_connection().notified());
                changed.as_mut().enable();
                writes = true;
            }
            written = poll_fn(|cx| poll_write(&mut writer, end, id, cx)), if writes => {
                writes = false;
                if let Ok(Some(last)) = written {
                    close(&closer, &last);
                    if last.code == SendCode::TIMEOUT {
                        break last_word(&closer).await;
                    }
                }
            }
            received = reader.recv(), if turn.may_read => match received {
                Ok(message) => {
                    end.receive(id, message);
                    writes = true;
                }
                Err(ending) => break ending,
            },
            ending = closer.closed(), if !turn.may_read => break ending,
            () = &mut timer, if rings.is_some() => {
                rings = None;
                end.time_out();
                writes = true;
            }
            () = &mut draining, if !is_drained => {
                is_drained = true;
                say_goodbye(end, &closer);
                writes = true;
            }
        }
    };
    end.disconnect(id, &ending);
    ending
}

/// Writes what there is, until all of it was written. A Close is returned, and nothing follows it.
fn poll_write(
    writer: &mut Writer,
    end: &End,
    id: ConnectionId,
    cx: &mut Context<'_>,
) -> Poll<Result<Option<Close>, Arc<Ending>>> {
    let mut writer = Pin::new(writer);
    loop {
        if writer.as_mut().poll_ready(cx)?.is_pending() {
            return match end.cut_short(id) {
                Some(close) => Poll::Ready(Ok(Some(close))),
                None => Poll::Pending,
            };
        }
        match end.next(id) {
            ToWrite::Message(message) => writer.as_mut().start_send(message)?,
            ToWrite::Close(close) => return Poll::Ready(Ok(Some(close))),
            ToWrite::Nothing => break,
        }
    }
    writer.poll_flush(cx).map_ok(|()| None)
}

/// The ending of a connection on which the session heard nothing for too long: a peer that is there all the same
/// answers to a Close frame at once.
async fn last_word(closer: &Closer) -> Arc<Ending> {
    match timeout(LAST_WORD, closer.closed()).await {
        Ok(ending) => ending,
        Err(_) => closer.abort().await,
    }
}

/// Takes what still comes, to the ending: it is late.
async fn rest(reader: &mut Reader) -> Arc<Ending> {
    loop {
        if let Err(ending) = reader.recv().await {
            return ending;
        }
    }
}

/// A drain has reached the connection: its client hears of it before the Close frame.
fn say_goodbye(end: &End, closer: &Closer) {
    if let Some(farewell) = closer.farewell() {
        end.go_away(GoAway {
            origin: Origin::Gateway,
            code: farewell.code,
            // If the process ends, so does a session that is only in its memory.
            resumable: !farewell.ends_server || end.is_stored(),
            after: farewell
                .returns_at
                .saturating_duration_since(Instant::now()),
            spread: Duration::ZERO,
            reason: farewell.text.to_string(),
        });
    }
}

/// Closes a connection that has no session.
pub(super) async fn leave(socket: &WebSocket, with: &Close) -> Arc<Ending> {
    close(&socket.closer(), with);
    socket.closed().await
}

fn close(closer: &Closer, close: &Close) {
    closer.start_close(close.code, Reason::truncated(&close.reason));
}
