//! [`Wakers`]: the waker that I/O is polled with, and everybody it may have to wake.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Wake, Waker};

use crate::drain::Farewell;
use crate::driver::sync::{AtomicU8, Mutex, MutexGuard};
use crate::driver::task_waker::TaskWaker;

/// The driver's task is to look at the transport.
const DUE: u8 = 1;

/// The handler runs in the driver's task right now, and the driver looks behind it.
const IN_TURN: u8 = 2;

/// A receiver outside of the driver's task waits: its waker is registered.
const WAITS: u8 = 4;

/// The transport has woken that receiver, which has not come back yet.
const CALLED: u8 = 8;

/// The driver's timer rings soon, to see whether a called receiver came.
const WATCHED: u8 = 16;

/// The driver was woken beside a called receiver, to watch from now on.
const ASKED: u8 = 32;

/// The connection has ended.
const OVER: u8 = 64;

/// Output waits for the transport, which may wake for that rather than for input.
const BLOCKED: u8 = 128;

/// Wakes whoever reads when the transport is ready.
///
/// That is one task: the receiver if it waits in a task of its own, and otherwise the driver. A
/// message then needs no second task, and none is woken for nothing. A receiver that was called may
/// never come, though, because its future lies somewhere unpolled. So the driver is woken beside it
/// unless it *watches*: it does nothing then but set its timer, and for as long as messages come it
/// needs no more than that timer. Where output waits for the transport, the driver is woken as well,
/// to write it.
///
/// The lock of the others is taken inside the connection's lock, never the other way round: a
/// transport may wake while it is polled.
#[derive(Debug)]
pub(crate) struct Wakers {
    flags: AtomicU8,
    driver: TaskWaker,
    others: Mutex<Others>,
}

#[derive(Debug, Default)]
struct Others {
    receiver: Option<Waker>,
    rare: Option<Box<RareWakers>>,
}

/// Few connections have any.
#[derive(Debug, Default)]
struct RareWakers {
    sender: Option<Waker>,
    /// Those who wait for the end or a drain.
    watchers: Vec<(WatcherId, Waker)>,
    last_id: WatcherId,
    /// Whether somebody waits for a drain, or did before.
    awaits_drain: bool,
    /// What a drain has told them.
    farewell: Option<Farewell>,
}

/// Names one future that waits for the end or a drain.
pub(crate) type WatcherId = u64;

/// What the driver's task finds when it has its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The transport is to be looked at.
    pub(crate) is_due: bool,
    /// A receiver was called for that, and it is to be seen that it comes.
    pub(crate) is_to_watch: bool,
    /// The connection has ended.
    pub(crate) is_over: bool,
}

impl Found {
    pub(crate) fn is_anything(self) -> bool {
        self.is_due || self.is_to_watch || self.is_over
    }
}

impl Wakers {
    /// The first turn is due: the handshake may have left messages behind.
    pub(crate) fn new() -> Self {
        Self {
            flags: AtomicU8::new(DUE),
            driver: TaskWaker::new(),
            others: Mutex::new(Others::default()),
        }
    }

    fn others(&self) -> MutexGuard<'_, Others> {
        self.others
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn has(&self, flags: u8) -> bool {
        self.flags.load(SeqCst) & flags != 0
    }

    /// Has the driver's task look, soon.
    pub(crate) fn set_due(&self) {
        // If it was due, the driver was woken and has not looked since.
        if !self.has(DUE) && self.flags.fetch_or(DUE, SeqCst) & (DUE | IN_TURN) == 0 {
            self.driver.wake();
        }
    }

    /// Whether the handler runs in the driver's task right now, so that the driver looks at
    /// everything in any case. Asked under the connection's lock.
    pub(crate) fn is_in_turn(&self) -> bool {
        self.has(IN_TURN)
    }

    /// The driver's task is polled; with a handler, that is polled first.
    pub(crate) fn begin_turn(&self, cx: &Context<'_>, has_handler: bool) {
        self.driver.set(cx);
        if has_handler {
            self.flags.fetch_or(IN_TURN, SeqCst);
        }
    }

    /// The driver itself is polled next.
    pub(crate) fn end_turn(&self) -> Found {
        found(self.flags.fetch_and(!(IN_TURN | DUE | ASKED), SeqCst))
    }

    /// The application reads: nobody else has to. Returns whether somebody had to; if anything is
    /// left, [`set_due`](Self::set_due) says so again.
    pub(crate) fn come(&self) -> bool {
        const COMES: u8 = DUE | WAITS | CALLED;
        self.has(COMES) && self.flags.fetch_and(!COMES, SeqCst) & (DUE | CALLED) != 0
    }

    /// Registers who waits for a message. Returns whether that is the driver's task, which is
    /// woken in any case.
    pub(crate) fn set_receiver(&self, cx: &Context<'_>) -> bool {
        let is_driver = self.is_in_turn() && self.driver.is(cx);
        if !is_driver {
            set(&mut self.others().receiver, cx);
            self.flags.fetch_or(WAITS, SeqCst);
        }
        is_driver
    }

    /// The future that waited for a message is gone. If it was called, the driver looks instead.
    pub(crate) fn forget_receiver(&self) {
        let before = self.flags.fetch_and(!(WAITS | CALLED), SeqCst);
        if before & CALLED != 0 {
            self.set_due();
        }
    }

    /// Takes note of whether output waits for the transport.
    pub(crate) fn set_blocked(&self, is_blocked: bool) {
        if self.has(BLOCKED) != is_blocked {
            match is_blocked {
                true => self.flags.fetch_or(BLOCKED, SeqCst),
                false => self.flags.fetch_and(!BLOCKED, SeqCst),
            };
        }
    }

    /// Whether a receiver was called and has not come.
    pub(crate) fn is_called(&self) -> bool {
        self.has(CALLED)
    }

    /// The driver's timer is set to see whether who was called comes.
    pub(crate) fn watch(&self) {
        self.flags.fetch_or(WATCHED, SeqCst);
    }

    /// Who was called did not come, so that the driver reads.
    pub(crate) fn give_up_on_receiver(&self) {
        self.flags.fetch_and(!CALLED, SeqCst);
    }

    /// The driver's timer rings for this no more. Returns whether somebody was called just before,
    /// without the driver.
    pub(crate) fn unwatch(&self) -> bool {
        self.flags.fetch_and(!WATCHED, SeqCst) & CALLED != 0
    }

    pub(crate) fn set_sender(&self, cx: &Context<'_>) {
        set(&mut self.others().rare().sender, cx);
    }

    pub(crate) fn wake_driver(&self) {
        self.driver.wake();
    }

    pub(crate) fn wake_receiver(&self) {
        let waker = self.others().receiver.take();
        wake(waker);
    }

    pub(crate) fn wake_sender(&self) {
        let waker = self
            .others()
            .rare
            .as_mut()
            .and_then(|rare| rare.sender.take());
        wake(waker);
    }

    /// Registers a future that waits for the end. It passes the number it got the first time.
    pub(crate) fn set_watcher(&self, id: Option<WatcherId>, cx: &Context<'_>) -> WatcherId {
        let mut others = self.others();
        let rare = others.rare();
        let mut watchers = rare.watchers.iter_mut();
        if let Some((id, waker)) = watchers.find(|(other, _)| Some(*other) == id) {
            waker.clone_from(cx.waker());
            return *id;
        }
        // One that was woken and waits on comes back under its own number.
        let id = id.unwrap_or_else(|| {
            rare.last_id += 1;
            rare.last_id
        });
        rare.watchers.push((id, cx.waker().clone()));
        id
    }

    pub(crate) fn forget_watcher(&self, id: WatcherId) {
        if let Some(rare) = &mut self.others().rare {
            rare.watchers.retain(|(other, _)| *other != id);
        }
    }

    /// Registers a future that waits for a drain, as [`set_watcher`](Self::set_watcher) does.
    pub(crate) fn set_draining(&self, id: Option<WatcherId>, cx: &Context<'_>) -> WatcherId {
        if id.is_none() {
            self.others().rare().awaits_drain = true;
        }
        self.set_watcher(id, cx)
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
    pub(crate) fn wake_watchers(&self) {
        let watchers = match &mut self.others().rare {
            Some(rare) => std::mem::take(&mut rare.watchers),
            None => Vec::new(),
        };
        for (_, waker) in watchers {
            waker.wake();
        }
    }

    /// The connection has ended.
    pub(crate) fn wake_all(&self) {
        self.flags.fetch_or(DUE | OVER, SeqCst);
        self.driver.wake();
        self.wake_sender();
        self.wake_watchers();
        self.wake_receiver();
    }
}

fn found(flags: u8) -> Found {
    Found {
        is_due: flags & DUE != 0,
        is_to_watch: flags & ASKED != 0,
        is_over: flags & OVER != 0,
    }
}

impl Others {
    fn rare(&mut self) -> &mut RareWakers {
        self.rare.get_or_insert_default()
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let call = |flags| {
            if flags & WAITS == 0 {
                // For the driver: also where a receiver was called that has not come, since it may
                // be about output this time.
                return Some(flags | DUE);
            }
            let mut next = flags & !WAITS | CALLED;
            if flags & WATCHED == 0 {
                next |= ASKED;
            }
            if flags & BLOCKED != 0 {
                next |= DUE;
            }
            Some(next)
        };
        // Always `Ok`: there is always a next value.
        let (Ok(before) | Err(before)) = self.flags.fetch_update(SeqCst, SeqCst, call);
        let calls = before & WAITS != 0;
        let wakes_driver = match calls {
            true => before & WATCHED == 0 || before & BLOCKED != 0,
            false => before & (DUE | IN_TURN) == 0,
        };
        if wakes_driver {
            self.driver.wake();
        }
        if calls {
            // The last one: a runtime with many threads runs the task first that was woken last.
            self.wake_receiver();
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
