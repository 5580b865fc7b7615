//! [`TaskWaker`]: the waker of the one task that drives a connection.

#[cfg(not(test))]
use std::sync::OnceLock;
use std::task::{Context, Waker};

#[cfg(test)]
use crate::driver::sync::Mutex;

/// The waker of a task. A task has one for its whole life, so none is ever replaced.
#[cfg(not(test))]
#[derive(Debug)]
pub(crate) struct TaskWaker(OnceLock<Waker>);

#[cfg(not(test))]
impl TaskWaker {
    pub(crate) fn new() -> Self {
        Self(OnceLock::new())
    }

    pub(crate) fn set(&self, cx: &Context<'_>) {
        let waker = self.0.get_or_init(|| cx.waker().clone());
        debug_assert!(waker.will_wake(cx.waker()), "a task has one waker");
    }

    pub(crate) fn is(&self, cx: &Context<'_>) -> bool {
        self.0.get().is_some_and(|it| it.will_wake(cx.waker()))
    }

    /// Before the first poll of the task there is nothing to wake: it runs in any case.
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.0.get() {
            waker.wake_by_ref();
        }
    }
}

/// The same for the model, whose scheduler has no `OnceLock`.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct TaskWaker(Mutex<Option<Waker>>);

#[cfg(test)]
impl TaskWaker {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn set(&self, cx: &Context<'_>) {
        let mut waker = self.0.lock().unwrap();
        waker.get_or_insert_with(|| cx.waker().clone());
    }

    pub(crate) fn is(&self, cx: &Context<'_>) -> bool {
        let waker = self.0.lock().unwrap();
        waker.as_ref().is_some_and(|it| it.will_wake(cx.waker()))
    }

    pub(crate) fn wake(&self) {
        let waker = self.0.lock().unwrap().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
