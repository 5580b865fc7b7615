//! The task of a link: connect, talk, decide, wait, and again.

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use revoir_proto::{CloseCode, Ending, Random};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::entropy::Entropy;
use crate::reconnect::link::dialer::Dialer;
use crate::reconnect::link::event::{LinkEnd, LinkEvent, Up};
use crate::reconnect::link::handle::Link;
use crate::reconnect::link::shared::{LinkShared, Order};
use crate::reconnect::link::talk::{Talked, talk};
use crate::reconnect::{Class, Decision, History, Policy, SHORTEST_MS, Stop};
use crate::websocket::{Closed, Closer, WebSocket};

/// Events that may wait.
const EVENTS: usize = 32;

/// Between two delays that a hint cuts short.
const HINT_INTERVAL: Duration = Duration::from_secs(10);

pub(super) fn start(dialer: Dialer, policy: Policy, history: History, shared: LinkShared) -> Link {
    let (events, taken) = mpsc::channel(EVENTS);
    let shared = Arc::new(shared);
    let task = Task {
        dialer,
        policy,
        history,
        events,
        shared: Arc::clone(&shared),
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
    shared: Arc<LinkShared>,
    /// When a hint last cut a delay short.
    hinted: Option<Instant>,
}

/// Why the task stops.
enum Over {
    GaveUp(Arc<Ending>, Decision),
    Closed(Option<Arc<Ending>>),
}

/// An attempt, to the end of the connection if there was one.
enum Attempted {
    Ended(Arc<Ending>),
    /// The hook wants no attempt.
    NotWanted,
    /// The application closed the link, and the connection if there was one.
    Closed(Option<Arc<Ending>>),
}

/// The application wants to close.
struct Closing;

impl Task {
    async fn run(mut self) {
        let over = self.keep_up().await;
        self.shared.outbox.end();
        let report = self.shared.outbox.report();
        let last = match over {
            Over::GaveUp(ending, decision) => LinkEvent::GaveUp {
                ending,
                decision,
                in_doubt: report.in_doubt,
                unsent: report.unsent,
            },
            Over::Closed(ending) => LinkEvent::Closed(LinkEnd {
                ending,
                in_doubt: report.in_doubt,
                unsent: report.unsent,
            }),
        };
        // Nobody is there to be told if this fails.
        let _ = self.events.send(last).await;
    }

    async fn keep_up(&mut self) -> Over {
        let mut last: Option<(Arc<Ending>, Decision)> = None;
        loop {
            let before = last.as_ref().map(|(ending, _)| Arc::clone(ending));
            let refresh = last.as_ref().is_some_and(|(_, decision)| decision.refresh);
            let ending = match self.attempt(before, refresh).await {
                Attempted::Ended(ending) => ending,
                Attempted::Closed(ending) => {
                    return Over::Closed(ending.or_else(|| last.map(|(ending, _)| ending)));
                }
                Attempted::NotWanted => {
                    return match last {
                        Some((ending, decision)) => Over::GaveUp(ending, refused(decision)),
                        None => Over::Closed(None),
                    };
                }
            };
            let decision = self.decide(&ending);
            let Some(delay) = decision.delay else {
                return Over::GaveUp(ending, decision);
            };
            let due = Instant::now() + delay;
            if !ending.cause.was_open() || ending.code() == CloseCode::TRY_AGAIN_LATER {
                self.dialer.advance();
            }
            if let Err(Closing) = self.tell_and_wait(&ending, &decision, due).await {
                return Over::Closed(Some(ending));
            }
            last = Some((ending, decision));
        }
    }

    /// One attempt, and the connection if it opens, to its ending.
    async fn attempt(&mut self, last: Option<Arc<Ending>>, refresh: bool) -> Attempted {
        let shared = Arc::clone(&self.shared);
        let number = self.history.attempts();
        let dialer = &mut self.dialer;
        let opening = async {
            let request = dialer.request(number, last, refresh).await?;
            let url = Arc::clone(&request.url);
            Some((url, dialer.open(request).await))
        };
        let opened = tokio::select! {
            opened = opening => opened,
            _ = shared.ordered() => return Attempted::Closed(None),
        };
        let (url, socket) = match opened {
            Some((url, Ok(socket))) => (url, socket),
            Some((_, Err(ending))) => return Attempted::Ended(ending),
            None => return Attempted::NotWanted,
        };
        let closer = socket.closer();
        let greeted = tokio::select! {
            greeted = self.dialer.greet(socket) => greeted,
            closed = close_unused(&shared, &closer) => {
                return Attempted::Closed(Some(closed.await));
            }
        };
        match greeted {
            Ok(socket) => self.connection(url, socket).await,
            Err(ending) => Attempted::Ended(ending),
        }
    }

    /// A connection that is ready for messages, to its ending.
    async fn connection(&mut self, url: Arc<str>, socket: WebSocket) -> Attempted {
        let up = LinkEvent::Up(Up {
            url,
            attempt: self.history.attempts(),
            subprotocol: socket.subprotocol().map(str::to_owned),
            extensions: socket.extensions(),
        });
        self.shared.outbox.up();
        match talk(socket, up, &self.events, &self.shared).await {
            Talked::Ended(ending) => Attempted::Ended(ending),
            Talked::Closed(ending) => Attempted::Closed(Some(ending)),
        }
    }

    fn decide(&mut self, ending: &Ending) -> Decision {
        let (now, random) = (SystemTime::now(), Entropy.next_u32());
        let mut decision = self.policy.decide(ending, &self.history, now, random);
        if decision.refresh && !decision.is_advised() && self.dialer.is_stale() {
            // It is known why, and that it is this client alone.
            decision.class = Class::Fast;
            decision.delay = Some(Duration::from_millis(SHORTEST_MS.into()));
        }
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

    /// Tells, and waits for the time of the next attempt.
    async fn tell_and_wait(
        &mut self,
        ending: &Arc<Ending>,
        decision: &Decision,
        due: Instant,
    ) -> Result<(), Closing> {
        let shared = Arc::clone(&self.shared);
        let working = async {
            let Ok(place) = self.events.reserve().await else {
                return pending().await;
            };
            let report = shared.outbox.report();
            place.send(LinkEvent::Down {
                ending: Arc::clone(ending),
                decision: decision.clone(),
                in_doubt: report.in_doubt,
                unsent: report.unsent,
            });
            wait(due, decision, &shared.hint, &mut self.hinted).await;
        };
        tokio::select! {
            () = working => Ok(()),
            _ = shared.ordered() => Err(Closing),
        }
    }
}

/// Waits for the order to close, and starts to close a connection that is not ready for messages
/// yet.
async fn close_unused(shared: &LinkShared, closer: &Closer) -> Closed {
    match shared.ordered().await {
        Order::Close { code, reason, site } => closer.close_from(code, reason, site),
        Order::Dropped => closer.closed(),
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
