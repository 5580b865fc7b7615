//! What `listen --session` does with each session, and what it tells of it.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;

use revoir::session::{Event, Session, Writer};
use tokio::time::{Instant, sleep_until};

use super::connections::Connections;
use crate::events::What;

impl Connections {
    /// Everything between the beginning of a session and its end. What happens to any of its connections is told with its
    /// number.
    pub(super) async fn handle_session(self: Arc<Self>, session: Session) {
        let conn = self.begin();
        let (mut reader, mut writer) = session.split();
        let due = self.manner.close_after;
        let due = due.and_then(|time| Instant::now().checked_add(time));
        let mut time_to_close = pin!(until(due));
        let mut is_closed = false;
        loop {
            let event = tokio::select! {
                () = &mut time_to_close, if !is_closed => {
                    is_closed = true;
                    self.close_session(&writer);
                    continue;
                }
                event = reader.event() => event,
            };
            match event {
                Some(event) => self.tell_and_answer(conn, event, &mut writer, due).await,
                None => break,
            }
        }
        self.end();
    }

    /// `due`: when the session is closed, whoever waits for room then.
    async fn tell_and_answer(
        &self,
        conn: u64,
        event: Event,
        writer: &mut Writer,
        due: Option<Instant>,
    ) {
        let (what, answer) = match event {
            Event::Message { key, message, .. } => {
                let (answer, key) = (Some(message.clone()), Some(key));
                (What::Message { message, key }, answer)
            }
            Event::Detached { ending, .. } => {
                let in_doubt = None;
                (What::Ending { ending, in_doubt }, None)
            }
            other => (What::Session(other), None),
        };
        // Who does not hear this stops the server soon.
        let _ = self.events.tell(Some(conn), what).await;
        let Some(message) = answer else { return };
        if self.manner.echo {
            // If it cannot be sent, the session is over, and the last event says why.
            tokio::select! {
                biased;
                _ = writer.send(message) => {}
                () = until(due) => {}
            }
        }
        if self.manner.close_after.is_none() {
            self.close_session(writer);
        }
    }

    fn close_session(&self, writer: &Writer) {
        if let Some(close) = &self.manner.close {
            drop(writer.close(close.code, close.reason));
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}
