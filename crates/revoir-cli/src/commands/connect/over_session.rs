//! The network side of `connect --session`: a session, what happens to it and its connections, and what goes into it.

use std::future::pending;
use std::sync::Arc;

use revoir::reconnect::LinkBuilder;
use revoir::session::{self, Ended, Event, Reader, SessionEnding, Writer};
use revoir::{CloseCode, Message, Reason, SendCode};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::countdown::counting_down;
use super::stdin::InputLine;
use crate::commands::network::unavailable;
use crate::commands::settings;
use crate::events::{Events, What};
use crate::exit::{Exit, Failure};
use crate::signals::Signals;

/// One session, from the first attempt to its end.
#[derive(Debug)]
pub(super) struct OverSession {
    events: Events,
    /// Whether somebody watches the delays pass.
    counts_down: bool,
    /// The number of the connection that is there or attempted, from 1.
    conn: u64,
    /// Whether there has ever been a session.
    was_attached: bool,
    /// Messages that came back.
    returned: usize,
    /// When the next attempt is due, and which one it is.
    due: Option<(Instant, u32)>,
}

impl OverSession {
    pub(super) const fn new(events: Events, counts_down: bool) -> Self {
        Self {
            events,
            counts_down,
            conn: 1,
            was_attached: false,
            returned: 0,
            due: None,
        }
    }

    /// Starts the session, sends `lines`, closes with 1000 behind the last one, and tells what happens until it is
    /// over.
    pub(super) async fn run(
        self,
        link: LinkBuilder,
        client: session::Client,
        lines: mpsc::Receiver<InputLine>,
    ) -> Result<Exit, Failure> {
        let signals = Signals::new().map_err(|error| unavailable("signal handling", &error))?;
        let session = client
            .start(link)
            .map_err(|mistake| settings::mistake("connect", &mistake))?;
        let (reader, writer) = session.split();
        let events = self.events.clone();
        tokio::select! {
            exit = self.tell_all(reader) => Ok(exit),
            exit = send(writer, lines, signals, &events) => Ok(exit),
        }
    }

    /// Tells every event, and what the last one means for the exit code.
    async fn tell_all(mut self, mut reader: Reader) -> Exit {
        while let Some(event) = self.next(&mut reader).await {
            self.due = None;
            match event {
                Event::Message { key, message, .. } => {
                    let key = Some(key);
                    self.tell(What::Message { message, key }).await;
                }
                Event::Detached {
                    ending, decision, ..
                } => {
                    let in_doubt = None;
                    self.tell(What::Ending { ending, in_doubt }).await;
                    if let Some(decision) = decision {
                        let delay = decision.delay.unwrap_or_default();
                        self.due = Some((Instant::now() + delay, decision.attempt));
                        self.tell(What::Decision(decision)).await;
                    }
                    self.conn += 1;
                }
                Event::Ended(ending) => {
                    let exit = self.exit(&ending);
                    self.over(ending).await;
                    return exit;
                }
                other => {
                    self.was_attached |= matches!(other, Event::Attached(_));
                    self.returned += usize::from(matches!(other, Event::Returned { .. }));
                    self.tell(What::Session(other)).await;
                }
            }
        }
        Exit::Done
    }

    async fn next(&self, reader: &mut Reader) -> Option<Event> {
        let due = self.due.filter(|_| self.counts_down);
        counting_down(&self.events, self.conn, due, reader.event()).await
    }

    /// The session is over: where a connection was the reason, that is told before.
    async fn over(&self, ending: Arc<SessionEnding>) {
        if let SessionEnding::GaveUp {
            ending, decision, ..
        } = &*ending
        {
            let (ending, in_doubt) = (Arc::clone(ending), None);
            self.tell(What::Ending { ending, in_doubt }).await;
            self.tell(What::Decision(decision.clone())).await;
        }
        self.tell(What::Session(Event::Ended(ending))).await;
    }

    /// Whether anybody hears it shows elsewhere.
    async fn tell(&self, what: What) {
        let _ = self.events.tell(Some(self.conn), what).await;
    }

    /// What the end means for the exit code: as without a session, and a message that came back is no success.
    fn exit(&self, ending: &SessionEnding) -> Exit {
        let is_normal = match ending {
            SessionEnding::Ended(Ended::Locally(_)) => true,
            ending => {
                { ending.bye() }.is_some_and(|bye| bye.code.code() == CloseCode::NORMAL_CLOSURE)
            }
        };
        if is_normal && self.returned == 0 {
            Exit::Done
        } else if self.was_attached {
            Exit::Ended
        } else {
            Exit::NeverOpened
        }
    }
}

/// Sends every line, then closes with 1000; or closes when it is asked to stop, and then waits for no connection.
async fn send(
    mut writer: Writer,
    mut lines: mpsc::Receiver<InputLine>,
    mut signals: Signals,
    events: &Events,
) -> Exit {
    let is_stopped = tokio::select! {
        () = signals.next() => true,
        () = events.unheard() => true,
        sent = send_all(&mut writer, &mut lines, events) => match sent {
            Ok(()) => false,
            // The last event is on its way.
            Err(_) => return pending().await,
        },
    };
    drop(writer.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY));
    if !is_stopped {
        signals.next().await;
    }
    if !writer.is_attached() {
        // The goodbye is among them.
        let kept = writer.kept().0.saturating_sub(1);
        let note = format!("not coming back; messages that nobody acknowledged: {kept}");
        let _ = events.tell(None, What::Note(note)).await;
        return Exit::Done;
    }
    signals.next().await;
    match signals.give_up() {}
}

async fn send_all(
    writer: &mut Writer,
    lines: &mut mpsc::Receiver<InputLine>,
    events: &Events,
) -> Result<(), Arc<SessionEnding>> {
    while let Some(line) = lines.recv().await {
        match line {
            InputLine::Text(text) => drop(writer.send(Message::Text(text.into())).await?),
            InputLine::Unusable(why) => drop(events.tell(None, What::Note(why)).await),
        }
    }
    Ok(())
}
