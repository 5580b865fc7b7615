//! The task of a link: connect, talk, decide, wait, and again.

use std::convert::Infallible;
use std::future::pending;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use revoir_proto::{CloseCode, Ending, Message, Random};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::entropy::Entropy;
use crate::reconnect::link::dialer::Dialer;
use crate::reconnect::link::event::{LinkEnd, LinkEvent, Up};
use crate::reconnect::link::handle::Link;
use crate::reconnect::link::outbox::Outbox;
use crate::reconnect::link::shared::{Order, Shared};
use crate::reconnect::link::while_down::WhileDown;
use crate::reconnect::{Class, Decision, History, Policy, Stop};
use crate::websocket::{Reader, WebSocket, Writer};

/// Events that may wait.
const EVENTS: usize = 32;

/// Between two delays that a hint cuts short.
const HINT_INTERVAL: Duration = Duration::from_secs(10);

pub(super) fn start(
    dialer: Dialer,
    policy: Policy,
    history: History,
    while_down: WhileDown,
) -> Link {
    let (events, taken) = mpsc::channel(EVENTS);
    let shared = Arc::new(Shared::new(while_down));
    let task = Task {
        dialer,
        policy,
        history,
        events,
        shared: Arc::clone(&shared),
        returned: Vec::new(),
        hinted: None,
    };
    tokio::spawn(task.run());
    Link::new(taken, shared)
}

struct Task {
    dialer: Dialer,
    policy: Policy,
    history: History,
    events: mpsc::Sender<LinkEvent>,
    shared: Arc<Shared>,
    /// Messages for the next event that can carry them.
    returned: Vec<Message>,
    /// When a hint last cut a delay short.
    hinted: Option<Instant>,
}

/// Why the task stops.
enum Over {
    GaveUp(Arc<Ending>, Decision),
    Closed(Option<Arc<Ending>>),
}

/// The application wants to close.
struct Closing;

impl Task {
    async fn run(mut self) {
        let events = self.events.clone();
        let over = tokio::select! {
            over = self.keep_up() => Some(over),
            // The link was dropped. The connection, dropped with the future, closes by itself.
            () = events.closed() => None,
        };
        let mut unsent = mem::take(&mut self.returned);
        unsent.append(&mut self.shared.outbox.end());
        let last = match over {
            None => return,
            Some(Over::GaveUp(ending, decision)) => LinkEvent::GaveUp {
                ending,
                decision,
                unsent,
            },
            Some(Over::Closed(ending)) => LinkEvent::Closed(LinkEnd { ending, unsent }),
        };
        // Nobody is there to be told if this fails.
        let _ = self.events.send(last).await;
    }

    async fn keep_up(&mut self) -> Over {
        let mut last = None;
        loop {
            let ending = match self.connection().await {
                Ok(ending) => ending,
                Err(ending) => return Over::Closed(ending.or(last)),
            };
            let decision = self.decide(&ending);
            let Some(delay) = decision.delay else {
                return Over::GaveUp(ending, decision);
            };
            let due = Instant::now() + delay;
            if !ending.cause.was_open() || ending.code() == CloseCode::TRY_AGAIN_LATER {
                self.dialer.advance();
            }
            let come_back = self.come_back(&ending, &decision, due);
            match come_back.await {
                Ok(true) => last = Some(ending),
                Ok(false) => return Over::GaveUp(ending, refused(decision)),
                Err(Closing) => return Over::Closed(Some(ending)),
            }
        }
    }

    /// One attempt, and the connection if it opens, to its ending. `Err` if the application closed
    /// the link, with the ending of the connection that there was.
    async fn connection(&mut self) -> Result<Arc<Ending>, Option<Arc<Ending>>> {
        let shared = Arc::clone(&self.shared);
        let opened = tokio::select! {
            opened = self.dialer.open() => opened,
            _ = shared.ordered() => return Err(None),
        };
        let socket = match opened {
            Ok(socket) => socket,
            Err(ending) => return Ok(ending),
        };
        let up = LinkEvent::Up(Up {
            url: Arc::clone(self.dialer.url()),
            attempt: self.history.attempts(),
            subprotocol: socket.subprotocol().map(str::to_owned),
            extensions: socket.extensions(),
        });
        shared.outbox.up();
        self.talk(socket, up).await
    }

    async fn talk(
        &mut self,
        socket: WebSocket,
        up: LinkEvent,
    ) -> Result<Arc<Ending>, Option<Arc<Ending>>> {
        let shared = Arc::clone(&self.shared);
        let (mut reader, mut writer) = socket.split();
        let receiving = async {
            tell(&self.events, up).await;
            receive(&mut reader, &self.events).await
        };
        let order = tokio::select! {
            ending = receiving => Err(ending),
            never = transmit(&mut writer, &shared.outbox) => match never {},
            order = shared.ordered() => Ok(order),
        };
        let result = match order {
            Err(ending) => Ok(ending),
            Ok(order) => {
                push_the_rest(&mut writer, &shared.outbox).await;
                let Order { code, reason, site } = order;
                let closed = writer.closer().close_from(code, reason, site);
                // Messages still come; if nobody takes them, the budget ends it.
                let ending = tokio::select! {
                    ending = receive(&mut reader, &self.events) => ending,
                    ending = closed => ending,
                };
                Err(Some(ending))
            }
        };
        let mut returned = shared.outbox.down(writer.written());
        self.returned.append(&mut returned);
        result
    }

    fn decide(&mut self, ending: &Ending) -> Decision {
        let (now, random) = (SystemTime::now(), Entropy.next_u32());
        let decision = self.policy.decide(ending, &self.history, now, random);
        self.history.record(ending, &decision);
        tracing::info!(
            target: "revoir",
            rule = &*decision.rule,
            class = decision.class.id(),
            attempt = decision.attempt,
            delay = ?decision.delay,
            "{decision}"
        );
        decision
    }

    /// Tells, waits, and refreshes. Returns whether there is another attempt.
    async fn come_back(
        &mut self,
        ending: &Arc<Ending>,
        decision: &Decision,
        due: Instant,
    ) -> Result<bool, Closing> {
        let shared = Arc::clone(&self.shared);
        let working = async {
            let Ok(place) = self.events.reserve().await else {
                return pending().await;
            };
            place.send(LinkEvent::Down {
                ending: Arc::clone(ending),
                decision: decision.clone(),
                unsent: mem::take(&mut self.returned),
            });
            let hinted = &mut self.hinted;
            wait(due, decision, &shared.hint, hinted).await;
            !decision.refresh || self.dialer.refresh(ending).await
        };
        tokio::select! {
            goes_on = working => Ok(goes_on),
            _ = shared.ordered() => Err(Closing),
        }
    }
}

/// Waits until `due`, or until a hint cuts the delay short.
async fn wait(due: Instant, decision: &Decision, hint: &Notify, hinted: &mut Option<Instant>) {
    loop {
        tokio::select! {
            () = sleep_until(due) => return,
            () = hint.notified(), if !decision.is_advised() => {
                let now = Instant::now();
                if hinted.is_none_or(|last| now.duration_since(last) >= HINT_INTERVAL) {
                    *hinted = Some(now);
                    return;
                }
            }
        }
    }
}

/// The decision, after the hook had no credentials.
fn refused(decision: Decision) -> Decision {
    Decision {
        class: Class::Stop(Stop::NoCredentials),
        delay: None,
        refresh: false,
        resume: false,
        ..decision
    }
}

async fn tell(events: &mpsc::Sender<LinkEvent>, event: LinkEvent) {
    if events.send(event).await.is_err() {
        // The link was dropped, which ends the task from outside.
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
async fn transmit(writer: &mut Writer, outbox: &Outbox) -> Infallible {
    loop {
        let (message, is_last) = outbox.next().await;
        match writer.push(message, is_last).await {
            Ok(end) => outbox.pushed(end, writer.written()),
            // The ending comes to the reader.
            Err(_) => return pending().await,
        }
    }
}

/// Moves what waits to the connection, as far as it takes it at once.
async fn push_the_rest(writer: &mut Writer, outbox: &Outbox) {
    while let Some((message, is_last)) = outbox.try_next() {
        let pushed = tokio::select! {
            biased;
            pushed = writer.push(message, is_last) => pushed,
            () = std::future::ready(()) => return,
        };
        match pushed {
            Ok(end) => outbox.pushed(end, writer.written()),
            Err(_) => return,
        }
    }
}
