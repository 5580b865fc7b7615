//! The network side of `connect`: a link, what happens to it, and what goes into it.

use std::convert::Infallible;
use std::future::pending;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use revoir::ending::CloseFrame;
use revoir::reconnect::{LinkBuilder, LinkEvent, LinkSender};
use revoir::{Cause, CloseCode, Ending, Link, Message, Reason, SendCode};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::countdown::counting_down;
use super::stdin::InputLine;
use crate::commands::network::unavailable;
use crate::commands::settings;
use crate::events::{Events, Opened, What};
use crate::exit::{Exit, Failure};
use crate::signals::Signals;

/// One link, from the first attempt to the last ending.
#[derive(Debug)]
pub(super) struct LinkReport {
    events: Events,
    /// Whether somebody watches the delays pass.
    counts_down: bool,
    /// The number of the connection that is there or attempted, from 1.
    conn: u64,
    /// Whether a connection has ever been open.
    was_open: bool,
    /// The ending that was told last.
    told: Option<Arc<Ending>>,
    /// When the next attempt is due, and which one it is.
    due: Option<(Instant, u32)>,
}

impl LinkReport {
    pub(super) fn new(events: Events, counts_down: bool) -> Self {
        Self {
            events,
            counts_down,
            conn: 1,
            was_open: false,
            told: None,
            due: None,
        }
    }

    /// Starts the link, sends `lines`, closes with 1000 behind the last one, and tells what happens
    /// until it is over.
    pub(super) async fn run(
        self,
        link: LinkBuilder,
        lines: mpsc::Receiver<InputLine>,
    ) -> Result<Exit, Failure> {
        let mut signals = Signals::new().map_err(|error| unavailable("signal handling", &error))?;
        let link = link
            .start()
            .map_err(|mistake| settings::mistake("connect", &mistake))?;
        let (sender, events) = (link.sender(), self.events.clone());
        let (up, is_up) = watch::channel(AttemptState::Open);
        let nothing_left = AtomicBool::new(false);
        let stopping = async {
            tokio::select! {
                () = signals.next() => {}
                () = events.unheard() => {}
            }
            sender.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
            signals.next().await;
            signals.give_up()
        };
        tokio::select! {
            exit = self.tell_all(link, up, &nothing_left) => Ok(exit),
            never = send(sender.clone(), lines, is_up, &events, &nothing_left) => match never {},
            never = stopping => match never {},
        }
    }

    /// Tells every event of the link, and what the last one means for the exit code.
    async fn tell_all(
        mut self,
        mut link: Link,
        up: watch::Sender<AttemptState>,
        nothing_left: &AtomicBool,
    ) -> Exit {
        while let Some(event) = self.next(&mut link).await {
            self.due = None;
            match event {
                LinkEvent::Up(opened) => {
                    self.was_open = true;
                    up.send_replace(AttemptState::Up);
                    self.tell(What::Open(Opened::of_link(&opened))).await;
                }
                LinkEvent::Message(message) => self.tell(What::message(message)).await,
                LinkEvent::Down {
                    ending,
                    decision,
                    in_doubt,
                    ..
                } => {
                    up.send_replace(AttemptState::Down);
                    let delay = decision.delay.unwrap_or_default();
                    self.due = Some((Instant::now() + delay, decision.attempt));
                    self.over(ending, in_doubt).await;
                    self.tell(What::Decision(decision)).await;
                    self.conn += 1;
                }
                LinkEvent::GaveUp {
                    ending,
                    decision,
                    in_doubt,
                    unsent,
                    ..
                } => {
                    let exit = self.exit(&ending);
                    self.over(ending, in_doubt).await;
                    self.tell(What::Decision(decision)).await;
                    self.lost(unsent.len()).await;
                    return exit;
                }
                LinkEvent::Closed(end) => {
                    let exit = match end.ending {
                        Some(ending) if !self.is_told(&ending) => {
                            let exit = self.exit(&ending);
                            self.over(ending, end.in_doubt).await;
                            exit
                        }
                        // It ended, or never opened, and nobody wanted to come back.
                        Some(ending) if nothing_left.load(Ordering::Relaxed) => self.exit(&ending),
                        _ => Exit::Done,
                    };
                    self.lost(end.unsent.len()).await;
                    return exit;
                }
                // Nothing else is known to happen.
                _ => {}
            }
        }
        Exit::Done
    }

    /// The next event, with a countdown until it comes.
    async fn next(&self, link: &mut Link) -> Option<LinkEvent> {
        let due = self.due.filter(|_| self.counts_down);
        counting_down(&self.events, self.conn, due, link.recv()).await
    }

    async fn over(&mut self, ending: Arc<Ending>, in_doubt: Range<u64>) {
        self.told = Some(Arc::clone(&ending));
        let in_doubt = Some(in_doubt);
        self.tell(What::Ending { ending, in_doubt }).await;
    }

    /// Whether this is the ending that was told last.
    fn is_told(&self, ending: &Arc<Ending>) -> bool {
        let told = self.told.as_ref();
        told.is_some_and(|told| Arc::ptr_eq(told, ending))
    }

    async fn lost(&self, unsent: usize) {
        if unsent > 0 {
            let note = format!("messages that were not sent: {unsent}");
            self.tell(What::Note(note)).await;
        }
    }

    /// Whether anybody hears it shows elsewhere.
    async fn tell(&self, what: What) {
        let _ = self.events.tell(Some(self.conn), what).await;
    }

    /// What the last ending means for the exit code.
    fn exit(&self, ending: &Ending) -> Exit {
        let is_normal = |frame: Option<&CloseFrame>| {
            frame.is_some_and(|frame| frame.wire_code() == Some(CloseCode::NORMAL_CLOSURE))
        };
        let both_normal = is_normal(ending.sent.as_ref()) && is_normal(ending.received.as_ref());
        // Nothing here closes but the user.
        if both_normal || ending.cause == Cause::ClosedLocally {
            Exit::Done
        } else if self.was_open {
            Exit::Ended
        } else {
            Exit::NeverOpened
        }
    }
}

/// What the last attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AttemptState {
    /// It is under way.
    Open,
    Up,
    Down,
}

/// Sends every line, then closes with 1000. What an ended connection has left behind goes first,
/// over as many connections as it takes; with nothing left to send, nobody comes back.
async fn send(
    link: LinkSender,
    mut lines: mpsc::Receiver<InputLine>,
    mut outcome: watch::Receiver<AttemptState>,
    events: &Events,
    nothing_left: &AtomicBool,
) -> Infallible {
    let mut last = None;
    while let Some(line) = lines.recv().await {
        match line {
            InputLine::Text(text) => {
                let Ok(receipt) = link.send(Message::Text(text.into())).await else {
                    let note = "a line was not sent: the connection is closing".to_owned();
                    let _ = events.tell(None, What::Note(note)).await;
                    // The last event is on its way.
                    return pending().await;
                };
                last = Some(receipt);
            }
            InputLine::Unusable(why) => drop(events.tell(None, What::Note(why)).await),
        }
    }
    if let Some(receipt) = &mut last
        && receipt.written().await.is_err()
    {
        // The link is over.
        return pending().await;
    }
    let decided = outcome
        .wait_for(|&outcome| outcome != AttemptState::Open)
        .await;
    let is_down = decided.is_ok_and(|outcome| *outcome == AttemptState::Down);
    if is_down {
        nothing_left.store(true, Ordering::Relaxed);
        let note = "stdin has ended and nothing is left to send: not coming back".to_owned();
        let _ = events.tell(None, What::Note(note)).await;
    }
    link.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY);
    pending().await
}
