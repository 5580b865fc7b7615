//! [`Hub`]: the waker that I/O is polled with, and everybody it may have to wake.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Wake, Waker};

use crate::drain::Farewell;

/// The connection has to be driven.
const DUE: u8 = 1;

/// The keeper's task is running right now, and looks at [`DUE`] before it stops.
const IN_TURN: u8 = 2;

/// Somebody outside of the keeper's task waits to receive or to send.
const OTHERS_WAIT: u8 = 4;

/// Wakes whoever can go on when the transport is ready: the application if it waits, and the
/// keeper in any case, because an application that was woken may never come back to its future.
///
/// Most wakes concern the keeper's task alone, which also runs a server's handler: they take no
/// lock. The lock of the others is taken inside the driver's lock, never the other way round: a
/// transport may wake while it is polled.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    flags: AtomicU8,
    /// The task of the keeper. A task has one waker for its whole life.
    keeper: OnceLock<Waker>,
    others: Mutex<Others>,
}

#[derive(Debug, Default)]
struct Others {
    receiving: Option<Waker>,
    rare: Option<Box<Rare>>,
}

/// Few connections have any.
#[derive(Debug, Default)]
struct Rare {
    sending: Option<Waker>,
    /// Those who wait for the end or a drain.
    closed: Vec<(ClosedId, Waker)>,
    last_id: ClosedId,
    /// Whether somebody waits for a drain, or did before.
    awaits_drain: bool,
    /// What a drain has told them.
    farewell: Option<Farewell>,
}

/// Names one future that waits for the end or a drain.
pub(crate) type ClosedId = u64;

impl Hub {
    fn others(&self) -> MutexGuard<'_, Others> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn raise(&self, flag: u8) -> u8 {
        self.flags.fetch_or(flag, Ordering::SeqCst)
    }

    fn lower(&self, flags: u8) -> u8 {
        self.flags.fetch_and(!flags, Ordering::SeqCst)
    }

    fn has(&self, flag: u8) -> bool {
        self.flags.load(Ordering::SeqCst) & flag != 0
    }

    /// Has the keeper drive the connection, soon.
    pub(crate) fn set_due(&self) {
        // If it was due, the keeper was woken and has not looked since.
        if !self.has(DUE) && self.raise(DUE) & (DUE | IN_TURN) == 0 {
            self.wake_keeper();
        }
    }

    /// Whether the connection was due. It is not any more.
    pub(crate) fn take_due(&self) -> bool {
        self.has(DUE) && self.lower(DUE) & DUE != 0
    }

    /// Undoes [`take_due`](Self::take_due) while the keeper cannot look, so it need not be woken.
    pub(crate) fn restore_due(&self) {
        self.raise(DUE);
    }

    /// Whether the keeper's task will look anyway. Asked under the driver's lock.
    pub(crate) fn is_in_turn(&self) -> bool {
        self.has(IN_TURN)
    }

    pub(crate) fn set_keeper(&self, cx: &Context<'_>) {
        let keeper = self.keeper.get_or_init(|| cx.waker().clone());
        debug_assert!(keeper.will_wake(cx.waker()), "a task has one waker");
    }

    /// The keeper's task starts to poll what runs beside the keeper.
    pub(crate) fn begin_turn(&self, cx: &Context<'_>) {
        self.set_keeper(cx);
        self.raise(IN_TURN);
    }

    /// The keeper itself is polled next. Returns whether the connection was due; it is not any
    /// more.
    pub(crate) fn end_turn(&self) -> bool {
        self.lower(IN_TURN | DUE) & DUE != 0
    }

    /// Registers who waits for a message. Returns whether that is the keeper's task, which is
    /// woken in any case.
    pub(crate) fn set_receiving(&self, cx: &Context<'_>) -> bool {
        let is_keeper = self.is_in_turn()
            && self
                .keeper
                .get()
                .is_some_and(|keeper| keeper.will_wake(cx.waker()));
        if !is_keeper {
            set(&mut self.others().receiving, cx);
            self.raise(OTHERS_WAIT);
        }
        is_keeper
    }

    pub(crate) fn set_sending(&self, cx: &Context<'_>) {
        set(&mut self.others().rare().sending, cx);
        self.raise(OTHERS_WAIT);
    }

    pub(crate) fn wake_keeper(&self) {
        if let Some(keeper) = self.keeper.get() {
            keeper.wake_by_ref();
        }
    }

    pub(crate) fn wake_receiving(&self) {
        let waker = self.others().receiving.take();
        wake(waker);
    }

    pub(crate) fn wake_sending(&self) {
        let waker = self.others().take_sending();
        wake(waker);
    }

    /// Registers a future that waits for the end. It passes the number it got the first time.
    pub(crate) fn set_closed(&self, id: Option<ClosedId>, cx: &Context<'_>) -> ClosedId {
        let mut others = self.others();
        let rare = others.rare();
        let mut wakers = rare.closed.iter_mut();
        if let Some((id, waker)) = wakers.find(|(other, _)| Some(*other) == id) {
            waker.clone_from(cx.waker());
            return *id;
        }
        rare.last_id += 1;
        rare.closed.push((rare.last_id, cx.waker().clone()));
        rare.last_id
    }

    pub(crate) fn forget_closed(&self, id: ClosedId) {
        if let Some(rare) = &mut self.others().rare {
            rare.closed.retain(|(other, _)| *other != id);
        }
    }

    /// Registers a future that waits for a drain, as [`set_closed`](Self::set_closed) does.
    pub(crate) fn set_draining(&self, id: Option<ClosedId>, cx: &Context<'_>) -> ClosedId {
        if id.is_none() {
            self.others().rare().awaits_drain = true;
        }
        self.set_closed(id, cx)
    }

    /// Leaves word of a drain, if anybody waits for one.
    pub(crate) fn tell(&self, farewell: &Farewell) -> bool {
        match &mut self.others().rare {
            Some(rare) if rare.awaits_drain => {
                rare.farewell = Some(farewell.clone());
                true
            }
            _ => false,
        }
    }

    /// What a drain has told.
    pub(crate) fn farewell(&self) -> Option<Farewell> {
        self.others().rare.as_ref()?.farewell.clone()
    }

    /// Wakes those who wait for the end or a drain. Who is not done comes again.
    pub(crate) fn wake_closed(&self) {
        let closed = match &mut self.others().rare {
            Some(rare) => std::mem::take(&mut rare.closed),
            None => Vec::new(),
        };
        for (_, waker) in closed {
            waker.wake();
        }
    }

    /// The connection has ended.
    pub(crate) fn wake_all(&self) {
        let mut others = self.others();
        let receiving = others.receiving.take();
        let rare = others.rare.as_mut();
        let (sending, closed) = rare
            .map(|rare| (rare.sending.take(), std::mem::take(&mut rare.closed)))
            .unwrap_or_default();
        drop(others);
        wake(receiving);
        wake(sending);
        self.wake_keeper();
        for (_, waker) in closed {
            waker.wake();
        }
    }

    /// Takes the waker of one who waits outside of the keeper's task.
    fn take_other(&self) -> Option<Waker> {
        let mut others = self.others();
        let receiving = others.receiving.take();
        let other = receiving.or_else(|| others.take_sending());
        if other.is_none() {
            self.lower(OTHERS_WAIT);
        }
        other
    }
}

impl Others {
    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    fn take_sending(&mut self) -> Option<Waker> {
        self.rare.as_mut()?.sending.take()
    }
}

impl Wake for Hub {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let before = self.raise(DUE);
        if before & OTHERS_WAIT != 0 {
            wake(self.take_other());
        }
        if before & (DUE | IN_TURN) == 0 {
            self.wake_keeper();
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
