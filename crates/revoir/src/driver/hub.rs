//! [`Hub`]: the waker that I/O is polled with, and everybody it may have to wake.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

/// Wakes whoever can go on when the transport is ready: the application if it waits, and the
/// keeper in any case, because an application that was woken may never come back to its future.
///
/// Its lock is taken inside the driver's lock, never the other way round: a transport may wake
/// while it is polled.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    /// Whether the connection has to be driven.
    due: bool,
    /// Whether the keeper's task is running right now and looks at `due` before it stops.
    in_turn: bool,
    keeper: Option<Waker>,
    receiving: Option<Waker>,
    sending: Option<Waker>,
    /// Those who wait for the end; few connections have any.
    closed: Option<Box<Closed>>,
}

#[derive(Debug, Default)]
struct Closed {
    wakers: Vec<(ClosedId, Waker)>,
    last_id: ClosedId,
}

/// Names one future that waits for the end.
pub(crate) type ClosedId = u64;

impl Hub {
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the keeper drive the connection, soon.
    pub(crate) fn set_due(&self) {
        let mut slots = self.slots();
        slots.due = true;
        let keeper = slots.idle_keeper();
        drop(slots);
        wake(keeper);
    }

    /// Whether the connection was due. It is not any more.
    pub(crate) fn take_due(&self) -> bool {
        std::mem::take(&mut self.slots().due)
    }

    /// The application drives now. Returns whether that was due, and whether the keeper's task
    /// will look anyway.
    pub(crate) fn begin_drive(&self) -> (bool, bool) {
        let mut slots = self.slots();
        (std::mem::take(&mut slots.due), slots.in_turn)
    }

    /// Undoes [`take_due`](Self::take_due) while the keeper cannot look, so it need not be woken.
    pub(crate) fn restore_due(&self) {
        self.slots().due = true;
    }

    pub(crate) fn set_keeper(&self, cx: &Context<'_>) {
        set(&mut self.slots().keeper, cx);
    }

    /// The keeper's task starts to poll what runs beside the keeper.
    pub(crate) fn begin_turn(&self, cx: &Context<'_>) {
        let mut slots = self.slots();
        slots.in_turn = true;
        set(&mut slots.keeper, cx);
    }

    /// The keeper itself is polled next.
    pub(crate) fn end_turn(&self) {
        self.slots().in_turn = false;
    }

    pub(crate) fn set_receiving(&self, cx: &Context<'_>) {
        set(&mut self.slots().receiving, cx);
    }

    pub(crate) fn set_sending(&self, cx: &Context<'_>) {
        set(&mut self.slots().sending, cx);
    }

    pub(crate) fn wake_receiving(&self) {
        let waker = self.slots().receiving.take();
        wake(waker);
    }

    pub(crate) fn wake_sending(&self) {
        let waker = self.slots().sending.take();
        wake(waker);
    }

    /// Registers a future that waits for the end. It passes the number it got the first time.
    pub(crate) fn set_closed(&self, id: Option<ClosedId>, cx: &Context<'_>) -> ClosedId {
        let mut slots = self.slots();
        let closed = slots.closed.get_or_insert_default();
        let mut wakers = closed.wakers.iter_mut();
        if let Some((id, waker)) = wakers.find(|(other, _)| Some(*other) == id) {
            waker.clone_from(cx.waker());
            return *id;
        }
        closed.last_id += 1;
        closed.wakers.push((closed.last_id, cx.waker().clone()));
        closed.last_id
    }

    pub(crate) fn forget_closed(&self, id: ClosedId) {
        if let Some(closed) = &mut self.slots().closed {
            closed.wakers.retain(|(other, _)| *other != id);
        }
    }

    /// The connection has ended.
    pub(crate) fn wake_all(&self) {
        let mut slots = self.slots();
        let one_each = [
            slots.receiving.take(),
            slots.sending.take(),
            slots.keeper.clone(),
        ];
        let closed = slots
            .closed
            .as_mut()
            .map(|closed| std::mem::take(&mut closed.wakers));
        drop(slots);
        one_each.into_iter().for_each(wake);
        for (_, waker) in closed.into_iter().flatten() {
            waker.wake();
        }
    }
}

impl Slots {
    fn idle_keeper(&self) -> Option<Waker> {
        if self.in_turn {
            return None;
        }
        self.keeper.clone()
    }
}

impl Wake for Hub {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut slots = self.slots();
        slots.due = true;
        let keeper = slots.idle_keeper();
        let mut application = slots.receiving.take();
        if application.is_none() {
            application = slots.sending.take();
        }
        drop(slots);
        match (application, keeper) {
            (Some(application), Some(keeper)) if application.will_wake(&keeper) => keeper.wake(),
            (application, keeper) => {
                wake(application);
                wake(keeper);
            }
        }
    }
}

fn set(slot: &mut Option<Waker>, cx: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *slot = Some(cx.waker().clone()),
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
