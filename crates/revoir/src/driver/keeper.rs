//! The keeper: what drives a connection while its application is busy elsewhere.

use std::any::Any;
use std::error::Error;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use revoir_proto::{CloseRequest, Ending, LocalCause, Reason, Role, SendCode, State};
use tokio::task::unconstrained;
use tokio::time::{Sleep, sleep_until};

use crate::driver::clock::Clock;
use crate::driver::engine::{Engine, Held, Taker};
use crate::driver::hub::Hub;
use crate::driver::shared::{Driver, Shared};
use crate::driver::transport::Transport;

/// What a handler may return instead of `Ok`.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Far enough for a timer that waits for nothing: a day.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);

pin_project! {
    /// Keeps a connection until it has ended. A task of its own.
    pub(crate) struct Keeper {
        driver: Shared,
        #[pin]
        timer: Sleep,
    }
}

impl Keeper {
    pub(crate) fn new(driver: Shared) -> Self {
        let timer = sleep_until(driver.epoch + NEVER);
        Self { driver, timer }
    }
}

impl Future for Keeper {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let _inside = this.driver.enter();
        let hub = &this.driver.hub;
        hub.set_keeper(cx);
        let is_due = hub.take_due();
        this.driver.poll_keep(cx, this.timer, is_due)
    }
}

pin_project! {
    /// Runs a server's handler and keeps its connection, in one task, until both are over.
    pub(crate) struct Supervisor<F> {
        #[pin]
        handler: Option<F>,
        #[pin]
        keeper: Keeper,
    }
}

impl<F> Supervisor<F> {
    pub(crate) fn new(driver: Shared, handler: F) -> Self {
        Self {
            handler: Some(handler),
            keeper: Keeper::new(driver),
        }
    }
}

impl<F, E> Future for Supervisor<F>
where
    F: Future<Output = Result<(), E>>,
    E: Into<Failure>,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let keeper = this.keeper.project();
        let driver = &*keeper.driver;
        let _inside = driver.enter();
        driver.hub.begin_turn(cx);
        let handled = poll_handler(driver, this.handler, cx);
        let is_due = driver.hub.end_turn();
        let kept = driver.poll_keep(cx, keeper.timer, is_due);
        ready!(handled);
        kept
    }
}

/// Calls a handler for its future. `None` if it panicked: its connection is then closing.
pub(crate) fn call<F>(driver: &Shared, handler: impl FnOnce() -> F) -> Option<F> {
    let _inside = driver.enter();
    match catch_unwind(AssertUnwindSafe(handler)) {
        Ok(running) => Some(running),
        Err(panic) => {
            driver.fail(panicked(&*panic));
            None
        }
    }
}

/// Polls the handler, and drops it once it is over.
fn poll_handler<F, E>(
    driver: &Shared,
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
        Ok(Poll::Ready(result)) => result.err().and_then(|error| failure_of(&*error.into())),
        Err(panic) => Some(panicked(&*panic)),
    };
    // The cause is set before the handle inside the handler is seen as dropped.
    if let Some(failure) = failure {
        driver.fail(failure);
    }
    slot.set(None);
    Poll::Ready(())
}

impl Driver<dyn Transport> {
    /// Drives if it is due, and keeps the deadlines.
    fn poll_keep(
        &self,
        cx: &mut Context<'_>,
        mut timer: Pin<&mut Sleep>,
        mut is_due: bool,
    ) -> Poll<()> {
        loop {
            let has_rung = timer.is_elapsed();
            match self.work(|engine, clock| engine.keep(clock, &self.hub, is_due, has_rung)) {
                Turn::Over => return Poll::Ready(()),
                Turn::Waiting => return Poll::Pending,
                Turn::Until(deadline) => {
                    timer.as_mut().reset(self.epoch + deadline);
                    // A handler may have used up the task's budget. The timer has to learn whom to
                    // wake all the same: it is not polled again before it rings.
                    if pin!(unconstrained(timer.as_mut())).poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
            is_due = self.hub.take_due();
        }
    }

    /// The handler failed: the peer gets 1011, and the ending says why.
    fn fail(&self, failure: String) {
        self.with(|engine, clock| {
            engine.failure = Some(Box::new(failure));
            let request = CloseRequest {
                cause: LocalCause::HandlerFailed,
                code: SendCode::INTERNAL_ERROR,
                // What went wrong here is not for the peer to know.
                reason: Reason::EMPTY,
                closed_at: None,
            };
            engine.close(clock, request);
        });
        self.hub.set_due();
    }
}

/// What the keeper does after it has looked.
enum Turn {
    Over,
    Waiting,
    Until(Duration),
}

impl Engine<dyn Transport> {
    fn keep(&mut self, clock: &Clock, hub: &Hub, is_due: bool, has_rung: bool) -> Turn {
        if self.ending.is_some() {
            return Turn::Over;
        }
        self.forget_time();
        let has_expired = has_rung && self.is_armed();
        if has_expired {
            self.core.handle_timeout(clock.now());
        }
        if self.held == Held::Nothing {
            self.close_dropped(clock, hub);
        }
        if is_due || has_expired {
            self.drive(clock, Taker::Keeper);
        }
        if self.ending.is_some() {
            return Turn::Over;
        }
        let deadline = self.core.poll_timeout();
        // A deadline that moved away is found when the timer rings too early.
        if !has_expired && !self.rings_too_late_for(deadline) {
            return Turn::Waiting;
        }
        self.arm(deadline);
        deadline.map_or(Turn::Waiting, Turn::Until)
    }

    fn close_dropped(&mut self, clock: &Clock, hub: &Hub) {
        if self.core.state() != State::Open {
            return;
        }
        if let Some(farewell) = hub.farewell() {
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

/// What a handler failed of. One that only passes on how a connection ended did not fail.
fn failure_of(error: &(dyn Error + Send + Sync + 'static)) -> Option<String> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if cause.is::<Ending>() || cause.is::<Arc<Ending>>() {
            return None;
        }
        next = cause.source();
    }
    Some(error.to_string())
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("without a text"))
}
