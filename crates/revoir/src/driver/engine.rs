//! [`Engine`]: the core, the transport and the inbox, driven together under one lock.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use revoir_proto::{
    Cause, CloseRequest, Connection, Detail, Ending, Event, Finish, Message, State,
};
use tokio::io::ReadBuf;

use crate::driver::clock::Clock;
use crate::driver::inbox::Inbox;
use crate::driver::read_buffer::with_read_buffer;
use crate::driver::transport::Transport;
use crate::entropy::Entropy;

/// Reads in one go before other tasks of the thread get a turn.
const READS_PER_TURN: usize = 32;

/// Slices in one vectored write.
const SLICES_PER_WRITE: usize = 16;

/// Reads after a failed write: the peer's Close frame may be among the bytes.
const READS_AFTER_FAILURE: usize = 4;

const NEVER: u64 = u64::MAX;

/// Who drives, and so what becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taker {
    /// The application waits for it.
    Application,
    /// It goes to the inbox.
    Keeper,
}

/// What the writing side of the application waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    Nothing,
    /// Room for a message.
    Room,
    /// That everything has left.
    Flushed,
    /// The end of the connection: nothing can be sent any more.
    Ended,
}

/// Whether the application waits for a message right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receiving {
    No,
    /// In the keeper's task, which runs the handler each time it is woken.
    InTurn,
    /// In another task: the hub has its waker.
    Elsewhere,
    /// It was woken, and has not come back yet.
    Woken,
}

/// What the application still holds of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Both halves as one, so that only one of them is used at a time.
    Whole,
    /// Both halves apart.
    Halves,
    Reader,
    Writer,
    Nothing,
}

impl Held {
    pub(crate) fn has_reader(self) -> bool {
        !matches!(self, Self::Writer | Self::Nothing)
    }

    pub(crate) fn without_reader(self) -> Self {
        match self {
            Self::Whole | Self::Halves | Self::Writer => Self::Writer,
            Self::Reader | Self::Nothing => Self::Nothing,
        }
    }

    pub(crate) fn without_writer(self) -> Self {
        match self {
            Self::Whole | Self::Halves | Self::Reader => Self::Reader,
            Self::Writer | Self::Nothing => Self::Nothing,
        }
    }
}

/// Everything of a connection that changes.
#[derive(Debug)]
pub(crate) struct Engine<T: ?Sized> {
    pub(crate) core: Connection<Entropy>,
    /// The hub.
    waker: Waker,
    pub(crate) inbox: Inbox,
    /// What the keeper's timer is set to, in nanoseconds since the epoch; `NEVER`: to nothing.
    armed: u64,
    /// The time at which the application got a message in this turn of the keeper's task, likewise.
    turn_time: u64,
    pub(crate) ending: Option<Arc<Ending>>,
    /// Why the handler failed.
    #[expect(
        clippy::box_collection,
        reason = "8 bytes instead of 24 in every connection"
    )]
    pub(crate) failure: Option<Box<String>>,
    pub(crate) held: Held,
    /// Whether the core was told that reading has stopped.
    pub(crate) paused: bool,
    /// Whether bytes were written since the transport was flushed.
    flush_due: bool,
    /// Whether there is nothing more to read.
    input_over: bool,
    /// Whether the application asked for a message since the connection began to close.
    pub(crate) asked_while_closing: bool,
    pub(crate) receiving: Receiving,
    pub(crate) sending: Sending,
    /// Whether the reader, as a stream, has given the ending.
    pub(crate) streamed_ending: bool,
    transport: T,
}

impl<T> Engine<T> {
    pub(crate) fn new(core: Connection<Entropy>, waker: Waker, transport: T) -> Self {
        Self {
            core,
            waker,
            inbox: Inbox::default(),
            armed: NEVER,
            turn_time: NEVER,
            ending: None,
            failure: None,
            held: Held::Whole,
            paused: false,
            flush_due: false,
            input_over: false,
            asked_while_closing: false,
            receiving: Receiving::No,
            sending: Sending::Nothing,
            streamed_ending: false,
            transport,
        }
    }
}

impl Engine<dyn Transport> {
    /// Decodes, writes and reads until nothing more can be done, or a message is there for the
    /// application that waits for it.
    pub(crate) fn drive(&mut self, clock: &Clock, taker: Taker) -> Option<Message> {
        for _ in 0..READS_PER_TURN {
            if let Some(message) = self.take_events(clock, taker) {
                return Some(message);
            }
            if self.ending.is_some() {
                return None;
            }
            // One write for all that the last read has caused.
            self.write(clock);
            if !self.read(clock) {
                self.finish_if_ended();
                return None;
            }
        }
        self.waker.wake_by_ref();
        None
    }

    /// Takes events as long as there is somebody to take messages.
    pub(crate) fn take_events(&mut self, clock: &Clock, taker: Taker) -> Option<Message> {
        loop {
            if self.finish_if_ended() {
                return None;
            }
            if taker == Taker::Keeper && !self.has_room() {
                if !self.paused {
                    self.paused = true;
                    self.core.pause_reading();
                }
                return None;
            }
            if !self.core.has_pending_input() && !self.input_over {
                return None;
            }
            match (self.core.poll_event(clock.now())?, taker) {
                (Event::Message(message), Taker::Application) => return Some(message),
                (Event::Message(message), Taker::Keeper) => self.keep_message(message),
                // The core has already acted on all others.
                _ => {}
            }
        }
    }

    /// Whether one more message can be taken while the application does not ask.
    fn has_room(&self) -> bool {
        !self.held.has_reader()
            || self.inbox.has_room()
            || self.core.wants_drain()
            || self.overflows()
    }

    /// Whether messages without room are thrown away. After our own Close frame the peer's has to
    /// be found behind them, unless the application still takes messages.
    fn overflows(&self) -> bool {
        self.core.state() == State::Closing
            && self.receiving == Receiving::No
            && !self.asked_while_closing
    }

    fn keep_message(&mut self, message: Message) {
        if self.held.has_reader() && self.inbox.has_room() {
            self.inbox.push(message);
        } else {
            self.core.count_discarded(1);
        }
    }

    /// The reader is gone: nobody will take messages any more.
    pub(crate) fn drop_reader(&mut self) {
        self.held = self.held.without_reader();
        let count = self.inbox.clear();
        if count > 0 {
            self.core.count_discarded(count);
        }
    }

    /// Reads go on after the application has emptied the inbox.
    pub(crate) fn resume(&mut self, clock: &Clock) {
        if self.paused {
            self.paused = false;
            self.core.resume_reading(clock.now());
        }
    }

    /// Writes what is queued, flushes, and shuts down as soon as the core wants it.
    pub(crate) fn write(&mut self, clock: &Clock) {
        let mut cx = Context::from_waker(&self.waker);
        while self.core.queued_bytes() > 0 {
            let mut slices = [IoSlice::new(&[]); SLICES_PER_WRITE];
            let used = self.core.poll_transmit(&mut slices);
            if used == 0 {
                break;
            }
            match self.transport.poll_write(&mut cx, &slices[..used]) {
                Poll::Pending => return,
                Poll::Ready(Ok(count)) if count > 0 => {
                    self.core.transmitted(clock.now(), count);
                    self.flush_due = true;
                }
                Poll::Ready(Ok(_)) => {
                    return self.fail_writing(clock, &ErrorKind::WriteZero.into());
                }
                Poll::Ready(Err(error)) => return self.fail_writing(clock, &error),
            }
        }
        if self.flush_due {
            match self.transport.poll_flush(&mut cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(())) => self.flush_due = false,
                Poll::Ready(Err(error)) => return self.fail_writing(clock, &error),
            }
        }
        if self.core.wants_shutdown_write()
            // An error shows itself where the rest is read.
            && self.transport.poll_shutdown(&mut cx).is_ready()
        {
            self.core.write_shut_down();
        }
    }

    /// Work on messages that were read together, in one turn, needs the time only once: a handler
    /// does not stay in a turn for long.
    pub(crate) fn reuse_time(&self, clock: &Clock) {
        if self.turn_time != NEVER {
            clock.set(Duration::from_nanos(self.turn_time));
        }
    }

    /// Keeps the time for the rest of the turn.
    pub(crate) fn keep_time(&mut self, clock: &Clock) {
        self.turn_time = nanos(clock.now());
    }

    /// The turn of the keeper's task is over.
    pub(crate) fn forget_time(&mut self) {
        self.turn_time = NEVER;
    }

    /// Whether the keeper's timer would ring too late.
    pub(crate) fn rings_too_late(&self) -> bool {
        self.ending.is_none() && self.rings_too_late_for(self.core.poll_timeout())
    }

    /// Whether the keeper's timer would ring too late for `deadline`.
    pub(crate) fn rings_too_late_for(&self, deadline: Option<Duration>) -> bool {
        deadline.map_or(NEVER, nanos) < self.armed
    }

    /// Whether the keeper's timer is set to a deadline.
    pub(crate) fn is_armed(&self) -> bool {
        self.armed != NEVER
    }

    /// Takes note of what the keeper's timer is set to.
    pub(crate) fn arm(&mut self, deadline: Option<Duration>) {
        self.armed = deadline.map_or(NEVER, nanos);
    }

    /// Whether all that was queued has left this process.
    pub(crate) fn is_flushed(&self) -> bool {
        self.core.queued_bytes() == 0 && !self.flush_due
    }

    fn fail_writing(&mut self, clock: &Clock, error: &io::Error) {
        self.flush_due = false;
        if self.input_over && self.core.state() == State::Closed {
            return;
        }
        for _ in 0..READS_AFTER_FAILURE {
            if !matches!(self.poll_read(clock), Poll::Ready(Ok(true))) {
                break;
            }
        }
        self.input_over = true;
        self.core.handle_write_failed(clock.now(), detail(error));
        // Whoever wrote may not look for events.
        self.waker.wake_by_ref();
    }

    /// Reads once, and returns whether there is something new to look at.
    pub(crate) fn read(&mut self, clock: &Clock) -> bool {
        let is_held_back = self.paused && !self.core.wants_drain();
        if self.input_over || is_held_back || self.core.has_pending_input() {
            return false;
        }
        match self.poll_read(clock) {
            Poll::Pending => return false,
            Poll::Ready(Ok(true)) => {}
            Poll::Ready(Ok(false)) => {
                self.input_over = true;
                self.core.handle_eof(clock.now());
            }
            Poll::Ready(Err(error)) => {
                self.input_over = true;
                // What rustls and others report when close_notify is missing.
                if error.kind() == ErrorKind::UnexpectedEof {
                    self.core.handle_tls_truncated(clock.now());
                } else {
                    self.core.handle_reset(clock.now(), detail(&error));
                }
            }
        }
        true
    }

    /// Reads once, and gives the core what came. Returns whether anything did; at the end of the
    /// stream nothing does.
    ///
    /// What lies inside a long message goes straight into it. All else gets memory of its own
    /// length: a message that the application keeps holds on to no more than what was received
    /// with it.
    fn poll_read(&mut self, clock: &Clock) -> Poll<io::Result<bool>> {
        // The core counts discarded input and does not look at it.
        let wanted = if self.core.wants_drain() {
            1
        } else {
            usize::MAX
        };
        let mut cx = Context::from_waker(&self.waker);
        let (core, transport) = (&mut self.core, &mut self.transport);
        with_read_buffer(|buffer| {
            let mut into = ReadBuf::new(buffer);
            let result = transport.poll_read(&mut cx, &mut into);
            result.map_ok(|()| {
                let filled = into.filled();
                if filled.is_empty() {
                    return false;
                }
                let (now, input) = (clock.now(), &filled[..filled.len().min(wanted)]);
                if !core.handle_payload(now, input) {
                    core.handle_input(now, BytesMut::from(input));
                }
                true
            })
        })
    }

    /// Starts the closing handshake, if it has not begun.
    pub(crate) fn close(&mut self, clock: &Clock, request: CloseRequest) {
        if self.core.close_with(clock.now(), request).is_ok() {
            self.resume(clock);
            self.write(clock);
        }
    }

    /// Once the core has ended: makes its record ours, and gives the transport up.
    #[inline]
    pub(crate) fn finish_if_ended(&mut self) -> bool {
        if self.ending.is_none() {
            match self.core.ending() {
                Some(ending) => self.finish(Arc::clone(ending)),
                None => return false,
            }
        }
        true
    }

    #[cold]
    fn finish(&mut self, mut ending: Arc<Ending>) {
        if is_own_decision(ending.cause) {
            let count = self.inbox.clear();
            if count > 0 {
                Arc::make_mut(&mut ending).discarded += count;
            }
        }
        if ending.cause == Cause::HandlerFailed
            && let Some(failure) = self.failure.take()
        {
            Arc::make_mut(&mut ending).detail = Detail::Text((*failure).into());
        }
        if ending.finish != Finish::Reset {
            // TLS says goodbye if it can do so at once; nothing depends on it any more.
            let mut cx = Context::from_waker(&self.waker);
            let _goodbye = self.transport.poll_shutdown(&mut cx);
        }
        self.transport.release();
        self.ending = Some(ending);
    }
}

/// Enough for 584 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NEVER)
}

/// Whether this endpoint ended the connection without regard to messages that still came.
fn is_own_decision(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::ClosedLocally | Cause::Drained | Cause::Dropped | Cause::HandlerFailed
    )
}

/// The error number, or else the text.
pub(crate) fn detail(error: &io::Error) -> Detail {
    match error.raw_os_error() {
        Some(number) => Detail::Os(number),
        None => Detail::Text(error.to_string().into()),
    }
}
