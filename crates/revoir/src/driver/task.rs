//! [`Driver`]: the task that drives a connection while its application is busy elsewhere.

use std::any::Any;
use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, Pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use revoir_proto::{CloseRequest, LocalCause, Reason, Role, SendCode, State};
use tokio::task::unconstrained;
use tokio::time::{Sleep, sleep_until};

use crate::deadline::after;
use crate::driver::clock::Clock;
use crate::driver::machine::{Machine, Watch};
use crate::driver::socket::{Shared, Socket};
use crate::driver::table::{Held, Receiver, Stimulus};
use crate::driver::transport::Transport;
use crate::driver::wakers::{Found, Wakers};

/// What a handler may return instead of `Ok`.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Far enough for a timer that waits for nothing: a day.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a receiver that was called may take before the driver reads for it.
const PATIENCE: Duration = Duration::from_millis(100);

pin_project! {
    /// Drives a connection until it has ended, in a task of its own. A server's handler runs in the
    /// same task, for as long as it takes.
    pub(crate) struct Driver<F> {
        socket: Shared,
        #[pin]
        handler: Option<F>,
        #[pin]
        timer: Sleep,
    }
}

/// The handler of a connection that has none.
pub(crate) type NoHandler = Pending<Result<(), Infallible>>;

impl Driver<NoHandler> {
    /// A driver beside an application in other tasks.
    pub(crate) fn new(socket: Shared) -> Self {
        let timer = sleep_until(socket.epoch.instant() + NEVER);
        Self {
            socket,
            handler: None,
            timer,
        }
    }
}

impl<F> Driver<F> {
    pub(crate) fn with_handler(socket: Shared, handler: F) -> Self {
        let timer = sleep_until(socket.epoch.instant() + NEVER);
        Self {
            socket,
            handler: Some(handler),
            timer,
        }
    }
}

impl<F, E> Future for Driver<F>
where
    F: Future<Output = Result<(), E>>,
    E: Into<Failure>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let socket = &**this.socket;
        let _inside = socket.enter();
        let had_handler = this.handler.is_some();
        socket.wakers.begin_turn(cx, had_handler);
        let handled = poll_handler(socket, this.handler, cx);
        let found = socket.wakers.end_turn();
        let driven = socket.poll_drive(cx, this.timer, found, had_handler);
        ready!(handled);
        driven
    }
}

/// Calls a handler for its future. `None` if it panicked: its connection is then closing.
pub(crate) fn call<F>(socket: &Shared, handler: impl FnOnce() -> F) -> Option<F> {
    let _inside = socket.enter();
    match catch_unwind(AssertUnwindSafe(handler)) {
        Ok(running) => Some(running),
        Err(panic) => {
            fail(socket, panicked(&*panic));
            None
        }
    }
}

/// Polls the handler, and drops it once it is over.
fn poll_handler<F, E>(
    socket: &Socket<dyn Transport>,
    mut slot: Pin<&mut Option<F>>,
    cx: &mut Context<'_>,
) -> Poll<()>
where
    F: Future<Output = Result<(), E>>,
    E: Into<Failure>,
{
    let Some(handler) = slot.as_mut().as_pin_mut() else {
        return Poll::Ready(());
    };
    let failure = match catch_unwind(AssertUnwindSafe(|| handler.poll(cx))) {
        Ok(Poll::Pending) => return Poll::Pending,
        // Once the connection is over, the error is how it ended, or comes too late.
        Ok(Poll::Ready(Err(error))) if socket.ending().is_none() => Some(error.into().to_string()),
        Ok(Poll::Ready(_)) => None,
        Err(panic) => Some(panicked(&*panic)),
    };
    // The cause is set before the handle inside the handler is seen as dropped.
    if let Some(failure) = failure {
        fail(socket, failure);
    }
    slot.set(None);
    Poll::Ready(())
}

/// The handler failed: the peer gets 1011, and the ending says why.
fn fail(socket: &Socket<dyn Transport>, failure: String) {
    let request = CloseRequest {
        cause: LocalCause::HandlerFailed,
        code: SendCode::INTERNAL_ERROR,
        // What went wrong here is not for the peer to know.
        reason: Reason::EMPTY,
        closed_at: None,
    };
    socket.fail(failure, request);
}

impl Socket<dyn Transport> {
    /// Drives if anybody found the transport ready or has asked for it, and keeps the deadlines,
    /// which a handler may have moved.
    fn poll_drive(
        &self,
        cx: &mut Context<'_>,
        mut timer: Pin<&mut Sleep>,
        mut found: Found,
        had_handler: bool,
    ) -> Poll<()> {
        loop {
            let has_rung = timer.is_elapsed();
            if !found.is_anything() && !has_rung && !had_handler {
                return Poll::Pending;
            }
            match self.turn(found, has_rung) {
                DriverWait::Over => return Poll::Ready(()),
                DriverWait::Waiting => return Poll::Pending,
                DriverWait::Until(deadline) => {
                    timer.as_mut().reset(after(self.epoch.instant(), deadline));
                    // A handler may have used up the task's budget. The timer has to learn whom to
                    // wake all the same: it is not polled again before it rings.
                    if pin!(unconstrained(timer.as_mut())).poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
            found = self.wakers.end_turn();
        }
    }

    /// One turn of the driver's task.
    pub(super) fn turn(&self, found: Found, has_rung: bool) -> DriverWait {
        self.work(|machine, clock| machine.turn(clock, &self.wakers, found, has_rung))
    }
}

/// What the driver does after it has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DriverWait {
    Over,
    Waiting,
    Until(Duration),
}

impl Machine<dyn Transport> {
    /// I/O and events first, then the deadlines: what lies in the transport may have met them.
    fn turn(&mut self, clock: &Clock, wakers: &Wakers, found: Found, has_rung: bool) -> DriverWait {
        if self.ending.is_some() {
            return DriverWait::Over;
        }
        let has_expired = has_rung && self.is_armed();
        if self.held == Held::Nothing {
            self.close_dropped(clock, wakers);
        }
        if found.is_to_watch {
            self.watch(wakers);
        }
        let gives_way = wakers.is_called() && !has_expired;
        if found.is_due || found.is_to_watch || has_expired {
            let (stimulus, receiver) = match (has_expired, gives_way) {
                (true, _) => (Stimulus::Timer, self.receiver),
                (false, true) => (Stimulus::Turn, Receiver::Called),
                (false, false) => (Stimulus::Turn, self.receiver),
            };
            let receiver = std::mem::replace(&mut self.receiver, receiver);
            let nobody_asked = self.drive(clock, stimulus);
            debug_assert!(nobody_asked.is_none());
            self.receiver = receiver;
        }
        if has_expired && self.ending.is_none() {
            self.core.handle_timeout(clock.now());
            self.write(clock);
            self.finish_if_ended();
            self.watch_on(wakers);
        }
        if self.ending.is_some() {
            return DriverWait::Over;
        }
        let deadline = self.deadline(clock);
        // A deadline that moved away is found when the timer rings too early.
        if !has_expired && !self.rings_too_late_for(deadline) {
            return DriverWait::Waiting;
        }
        self.arm(deadline);
        deadline.map_or(DriverWait::Waiting, DriverWait::Until)
    }

    fn deadline(&self, clock: &Clock) -> Option<Duration> {
        let deadline = self.core.poll_timeout();
        if self.watch == Watch::Off {
            return deadline;
        }
        let looks_at = clock.now().saturating_add(PATIENCE);
        Some(deadline.map_or(looks_at, |deadline| deadline.min(looks_at)))
    }

    /// The timer is to see whether the receiver comes that was called.
    fn watch(&mut self, wakers: &Wakers) {
        if self.watch == Watch::Off {
            self.watch = Watch::On;
            wakers.watch();
        }
    }

    /// The timer has rung: watches on as long as messages come.
    fn watch_on(&mut self, wakers: &Wakers) {
        let was_missed = wakers.is_called();
        if was_missed {
            wakers.give_up_on_receiver();
        }
        if self.watch == Watch::On && !was_missed {
            // Who is called from here on has the driver woken as well, and who was just before
            // is watched.
            self.watch = Watch::Off;
            if wakers.unwatch() {
                self.watch(wakers);
            }
        } else if self.watch == Watch::Served {
            self.watch = Watch::On;
        }
    }

    fn close_dropped(&mut self, clock: &Clock, wakers: &Wakers) {
        if self.core.state() != State::Open {
            return;
        }
        if let Some(farewell) = wakers.farewell() {
            // The handler heard of the drain and has let go.
            return self.close(clock, farewell.request());
        }
        let code = match self.core.role() {
            Role::Client => SendCode::NORMAL_CLOSURE,
            Role::Server => SendCode::GOING_AWAY,
        };
        let request = CloseRequest {
            cause: LocalCause::Dropped,
            code,
            reason: Reason::EMPTY,
            closed_at: None,
        };
        self.close(clock, request);
    }
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a text"))
}
