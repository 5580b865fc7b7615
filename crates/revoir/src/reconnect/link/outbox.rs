//! [`Outbox`]: messages on their way, and what became of each.
//!
//! A message is *waiting* until a connection takes it, *in flight* until its last byte was written,
//! and then it is out of our hands. When the connection ends, what is in flight waits again, before
//! everything else: the peer cannot have seen it whole.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use revoir_proto::Message;
use tokio::sync::Notify;

use crate::reconnect::link::event::NotSent;
use crate::reconnect::link::while_down::WhileDown;

/// What waits while there is a connection: enough to keep it busy.
const WAITING_MESSAGES: usize = 128;
const WAITING_BYTES: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct Outbox {
    while_down: WhileDown,
    state: Mutex<State>,
    /// A sender may try again.
    room: Notify,
    /// A message waits.
    ready: Notify,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    waiting: VecDeque<Message>,
    /// Of the waiting ones.
    bytes: usize,
    in_flight: VecDeque<InFlight>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Down,
    Up,
    /// Nothing more is accepted.
    Over,
}

#[derive(Debug)]
struct InFlight {
    message: Message,
    /// Where it ends in the output of the connection; `None`: not in it yet.
    end: Option<u64>,
}

impl Outbox {
    pub(super) fn new(while_down: WhileDown) -> Self {
        Self {
            while_down,
            state: Mutex::default(),
            room: Notify::new(),
            ready: Notify::new(),
        }
    }

    /// Accepts `message` as soon as it may.
    pub(super) async fn accept(&self, message: Message) -> Result<(), NotSent> {
        let mut message = message;
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            // Before the look: what changes after it is not missed.
            room.as_mut().enable();
            match self.try_accept(message) {
                Accepted::Yes => return Ok(()),
                Accepted::No(not_sent) => return Err(not_sent),
                Accepted::Later(back) => message = back,
            }
            room.await;
        }
    }

    fn try_accept(&self, message: Message) -> Accepted {
        let mut state = self.lock();
        let (messages, bytes) = match (state.phase, self.while_down) {
            (Phase::Over, _) => return Accepted::No(NotSent::Over(message)),
            (Phase::Down, WhileDown::Fail) => return Accepted::No(NotSent::Down(message)),
            (Phase::Down, WhileDown::Wait) => return Accepted::Later(message),
            (_, WhileDown::Keep { messages, bytes }) => (messages, bytes),
            (Phase::Up, WhileDown::Fail | WhileDown::Wait) => (WAITING_MESSAGES, WAITING_BYTES),
        };
        let length = message.as_bytes().len();
        let fits = state.waiting.len() < messages && state.bytes.saturating_add(length) <= bytes;
        // One message of any size goes through a connection.
        let is_alone = state.phase == Phase::Up && state.waiting.is_empty();
        if fits || is_alone {
            state.bytes += length;
            state.waiting.push_back(message);
            drop(state);
            self.ready.notify_one();
            return Accepted::Yes;
        }
        match state.phase {
            Phase::Up => Accepted::Later(message),
            Phase::Down | Phase::Over => Accepted::No(NotSent::Full(message)),
        }
    }

    /// The next message for the connection, and whether it is the last one that waits.
    pub(super) async fn next(&self) -> (Message, bool) {
        loop {
            if let Some(next) = self.try_next() {
                return next;
            }
            self.ready.notified().await;
        }
    }

    pub(super) fn try_next(&self) -> Option<(Message, bool)> {
        let mut state = self.lock();
        let message = state.waiting.pop_front()?;
        state.bytes -= message.as_bytes().len();
        state.in_flight.push_back(InFlight {
            message: message.clone(),
            end: None,
        });
        let is_last = state.waiting.is_empty();
        drop(state);
        self.room.notify_waiters();
        Some((message, is_last))
    }

    /// The message of the last `next` is in the output and ends at `end`, of which `written` bytes
    /// were written so far.
    pub(super) fn pushed(&self, end: u64, written: u64) {
        let mut state = self.lock();
        if let Some(last) = state.in_flight.back_mut() {
            last.end = Some(end);
        }
        state.forget_written(written);
    }

    /// There is a connection.
    pub(super) fn up(&self) {
        self.enter(Phase::Up);
    }

    /// The connection has ended, after `written` bytes. Returns what did not leave and is not kept.
    pub(super) fn down(&self, written: u64) -> Vec<Message> {
        let mut state = self.lock();
        state.take_back(written);
        if state.phase == Phase::Up {
            state.phase = Phase::Down;
        }
        let returned = match self.while_down {
            WhileDown::Fail => state.take_all(),
            WhileDown::Wait | WhileDown::Keep { .. } => Vec::new(),
        };
        drop(state);
        self.room.notify_waiters();
        returned
    }

    /// Accepts nothing any more. What waits still goes to a connection that is there.
    pub(super) fn refuse(&self) {
        self.enter(Phase::Over);
    }

    /// The link is over. Returns everything that did not leave.
    pub(super) fn end(&self) -> Vec<Message> {
        self.enter(Phase::Over);
        self.lock().take_all()
    }

    pub(super) fn is_up(&self) -> bool {
        self.lock().phase == Phase::Up
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.lock();
        if state.phase != Phase::Over {
            state.phase = phase;
        }
        drop(state);
        self.room.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Accepted {
    Yes,
    Later(Message),
    No(NotSent),
}

impl State {
    fn forget_written(&mut self, written: u64) {
        let is_written = |first: &InFlight| first.end.is_some_and(|end| end <= written);
        while self.in_flight.front().is_some_and(is_written) {
            self.in_flight.pop_front();
        }
    }

    /// What is in flight waits again, in its order, before what waits.
    fn take_back(&mut self, written: u64) {
        self.forget_written(written);
        for InFlight { message, .. } in mem::take(&mut self.in_flight).into_iter().rev() {
            self.bytes += message.as_bytes().len();
            self.waiting.push_front(message);
        }
    }

    fn take_all(&mut self) -> Vec<Message> {
        self.bytes = 0;
        let in_flight = mem::take(&mut self.in_flight).into_iter();
        let waiting = mem::take(&mut self.waiting);
        in_flight.map(|it| it.message).chain(waiting).collect()
    }
}
