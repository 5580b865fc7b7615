//! [`Machine`]: the core, the transport and the inbox under one lock. It does what the table says.

use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use revoir_proto::{
    Cause, CauseKind, CloseRequest, Connection, Detail, Ending, Event, Finish, Message, State,
};

use crate::driver::clock::Clock;
use crate::driver::inbox::Inbox;
use crate::driver::read_buffer::{ReadSize, with_read_buffer};
use crate::driver::table::{
    Held, Line, Phase, Read, Receiver, Room, Sender, Standing, Stimulus, Wake, step,
};
use crate::driver::transport::Transport;
use crate::entropy::Entropy;

/// Reads in one go before other tasks of the thread get a turn.
const READS_PER_TURN: usize = 32;

/// Slices in one vectored write.
const SLICES_PER_WRITE: usize = 16;

/// Reads after a failed write: the peer's Close frame may be among the bytes.
const READS_AFTER_FAILURE: usize = 4;

const NEVER: u64 = u64::MAX;

/// Everything of a connection that changes.
#[derive(Debug)]
pub(crate) struct Machine<T: ?Sized> {
    pub(crate) core: Connection<Entropy>,
    /// The connection's `Wakers`.
    waker: Waker,
    pub(crate) inbox: Inbox,
    /// What the driver's timer is set to, in nanoseconds since the epoch; `NEVER`: to nothing.
    armed: u64,
    /// The latest time that the core has seen, likewise.
    latest: u64,
    pub(crate) ending: Option<Arc<Ending>>,
    rare: Option<Box<RareState>>,
    pub(crate) held: Held,
    pub(crate) receiver: Receiver,
    pub(crate) sender: Sender,
    line: Line,
    read_size: ReadSize,
    /// Whether bytes were written since the transport was flushed.
    flush_due: bool,
    /// Whether the application asked for a message since the connection began to close.
    pub(crate) asked_while_closing: bool,
    /// Whether the driver's timer is to see that a called receiver came.
    pub(crate) watch: Watch,
    pub(crate) transport: T,
}

/// Whether the driver's timer sees to it that a receiver outside comes when it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    Off,
    On,
    /// On, and a receiver has got a message since the timer last rang.
    Served,
}

/// What few connections have any of.
#[derive(Debug, Default)]
struct RareState {
    /// Why the handler failed.
    failure: Option<String>,
    /// Bytes of messages that a sink took when the connection had begun to close.
    refused: u64,
    /// Whether the reader, as a stream, has given the ending.
    has_streamed_ending: bool,
}

/// Whom to wake after some work on a machine.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    /// The receiver, and whether it waits in the driver's task.
    pub(crate) receiver: Option<Receiver>,
    pub(crate) sender: bool,
    pub(crate) watchers: bool,
    /// Everybody: this has just ended it.
    pub(crate) ending: Option<Arc<Ending>>,
}

impl<T> Machine<T> {
    pub(crate) fn new(core: Connection<Entropy>, waker: Waker, transport: T) -> Self {
        Self {
            core,
            waker,
            inbox: Inbox::default(),
            armed: NEVER,
            latest: 0,
            ending: None,
            rare: None,
            held: Held::Whole,
            receiver: Receiver::Absent,
            sender: Sender::Absent,
            line: Line::Open,
            read_size: ReadSize::default(),
            flush_due: false,
            asked_while_closing: false,
            watch: Watch::Off,
            transport,
        }
    }
}

impl<T: ?Sized> Machine<T> {
    /// What the table looks at.
    #[inline]
    pub(crate) fn standing(&self) -> Standing {
        Standing {
            held: self.held,
            receiver: self.receiver,
            sender: self.sender,
            inbox: self.inbox.room(),
            line: self.line,
            phase: self.phase(),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.core.state() {
            _ if self.ending.is_some() => Phase::Over,
            State::Open => Phase::Open,
            State::Closing if self.core.wants_drain() => Phase::Draining,
            State::Closing if self.asked_while_closing => Phase::ClosingAsked,
            State::Closing => Phase::Closing,
            State::Connecting | State::Closed => Phase::Over,
        }
    }

    /// The latest time that the core has seen.
    pub(crate) fn latest(&self) -> Duration {
        Duration::from_nanos(self.latest)
    }

    pub(crate) fn keep_time(&mut self, clock: &Clock) {
        self.latest = nanos(clock.latest());
    }

    /// Whether the driver's timer would ring too late.
    pub(crate) fn rings_too_late(&self) -> bool {
        self.ending.is_none() && self.rings_too_late_for(self.core.poll_timeout())
    }

    /// Whether the driver's timer would ring too late for `deadline`.
    pub(crate) fn rings_too_late_for(&self, deadline: Option<Duration>) -> bool {
        deadline.map_or(NEVER, nanos) < self.armed
    }

    /// Whether the driver's timer is set to a deadline.
    pub(crate) fn is_armed(&self) -> bool {
        self.armed != NEVER
    }

    /// Takes note of what the driver's timer is set to.
    pub(crate) fn arm(&mut self, deadline: Option<Duration>) {
        self.armed = deadline.map_or(NEVER, nanos);
    }

    /// Whether all that was queued has left this process.
    pub(crate) fn is_flushed(&self) -> bool {
        self.core.queued_bytes() == 0 && !self.flush_due
    }

    /// Why the handler failed, for the ending.
    pub(crate) fn note_failure(&mut self, failure: String) {
        self.rare.get_or_insert_default().failure = Some(failure);
    }

    /// Counts a message that was taken and cannot be queued any more.
    pub(crate) fn count_refused(&mut self, bytes: usize) {
        self.rare.get_or_insert_default().refused += bytes as u64;
    }

    /// Whether the reader, as a stream, has given the ending.
    pub(crate) fn has_streamed_ending(&self) -> bool {
        let rare = self.rare.as_ref();
        rare.is_some_and(|rare| rare.has_streamed_ending)
    }

    pub(crate) fn note_streamed_ending(&mut self) {
        self.rare.get_or_insert_default().has_streamed_ending = true;
    }

    /// The reader is gone: nobody will take messages any more.
    pub(crate) fn drop_reader(&mut self) {
        self.held = self.held.without_reader();
        self.receiver = Receiver::Absent;
        let count = self.inbox.clear();
        if count > 0 {
            self.core.count_discarded(count);
        }
    }

    /// Reads go on after the application has emptied the inbox.
    pub(crate) fn resume(&mut self, clock: &Clock) {
        if self.line == Line::Paused {
            self.line = Line::Open;
            self.core.resume_reading(clock.now());
        }
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.line == Line::Paused
    }

    fn pause(&mut self) {
        if self.line == Line::Open {
            self.line = Line::Paused;
            self.core.pause_reading();
        }
    }

    /// Who has to be woken after some work, which began in `before`; usually nobody.
    #[inline]
    pub(crate) fn wakes(&mut self, before: Phase) -> Option<Wakes> {
        let after = self.phase();
        let is_quiet = after == before && self.inbox.is_empty() && self.sender == Sender::Absent;
        (!is_quiet).then(|| self.wakes_between(before, after))
    }

    #[inline(never)]
    fn wakes_between(&mut self, before: Phase, after: Phase) -> Wakes {
        let mut wakes = Wakes::default();
        if !self.inbox.is_empty() {
            self.wake(Stimulus::Arrived, &mut wakes);
        }
        if self.sender != Sender::Absent {
            if self.core.is_writable() {
                self.wake(Stimulus::Room, &mut wakes);
            }
            if self.is_flushed() {
                self.wake(Stimulus::Flushed, &mut wakes);
            }
        }
        if after != before && after == Phase::Over {
            self.wake(Stimulus::Ended, &mut wakes);
        } else if after != before && before == Phase::Open {
            self.wake(Stimulus::Closing, &mut wakes);
        }
        wakes
    }

    /// Notes whom `stimulus` wakes. Whoever is woken comes back and says so, if it still waits.
    fn wake(&mut self, stimulus: Stimulus, wakes: &mut Wakes) {
        match step(self.standing(), stimulus).wake {
            Wake::Nobody => {}
            Wake::Receiver => {
                wakes.receiver = Some(self.receiver);
                self.receiver = Receiver::Woken;
            }
            Wake::Sender => {
                wakes.sender = true;
                self.sender = Sender::Absent;
            }
            Wake::Watchers => wakes.watchers = true,
            Wake::All => wakes.ending.clone_from(&self.ending),
        }
    }
}

impl Machine<dyn Transport> {
    /// Decodes, writes and reads, until nothing more can be done or there is a message for the
    /// caller, who asked for one.
    pub(crate) fn drive(&mut self, clock: &Clock, stimulus: Stimulus) -> Option<Message> {
        for _ in 0..READS_PER_TURN {
            if let Some(message) = self.take_events(clock, stimulus) {
                return Some(message);
            }
            // One write for all that the last read has caused.
            self.write(clock);
            if !self.read(clock, stimulus) {
                self.finish_if_ended();
                return None;
            }
        }
        self.waker.wake_by_ref();
        None
    }

    /// Takes events as long as there is somebody to take messages.
    pub(crate) fn take_events(&mut self, clock: &Clock, stimulus: Stimulus) -> Option<Message> {
        loop {
            if self.finish_if_ended() {
                return None;
            }
            let read = step(self.standing(), stimulus).read;
            if read == Read::Nothing {
                if self.inbox.room() == Room::Full {
                    self.pause();
                }
                return None;
            }
            // The end of a broken transport is an event too.
            if !self.core.has_pending_input() && stimulus != Stimulus::Lost {
                return None;
            }
            match (self.core.poll_event(clock.now())?, read) {
                (Event::Message(message), Read::One) => return Some(message),
                (Event::Message(message), Read::Ahead) => self.inbox.push(message),
                (Event::Message(message), Read::Rest) if self.inbox.has_room_for_the_rest() => {
                    self.inbox.push(message);
                }
                (Event::Message(_), Read::Rest | Read::Discard | Read::Nothing) => {
                    self.core.count_discarded(1);
                }
                // The core has already acted on all others.
                _ => {}
            }
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
                Poll::Ready(Ok(_)) => return self.lose(clock, &ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) => return self.lose(clock, &error),
            }
        }
        if self.flush_due {
            match self.transport.poll_flush(&mut cx) {
                Poll::Pending => return,
                Poll::Ready(Ok(())) => self.flush_due = false,
                Poll::Ready(Err(error)) => return self.lose(clock, &error),
            }
        }
        if self.core.wants_shutdown_write()
            // An error shows itself where the rest is read.
            && self.transport.poll_shutdown(&mut cx).is_ready()
        {
            self.core.write_shut_down();
        }
    }

    /// A write has failed. What was received before is still taken, and then the connection ends:
    /// nobody waits for what cannot leave.
    #[cold]
    fn lose(&mut self, clock: &Clock, error: &io::Error) {
        self.flush_due = false;
        if self.line == Line::Ended && self.core.state() == State::Closed {
            return;
        }
        for _ in 0..READS_AFTER_FAILURE {
            if !matches!(self.poll_read(clock), Poll::Ready(Ok(true))) {
                break;
            }
        }
        self.line = Line::Ended;
        self.core.handle_write_failed(clock.now(), detail(error));
        let nobody_asked = self.take_events(clock, Stimulus::Lost);
        debug_assert!(nobody_asked.is_none() && self.ending.is_some());
    }

    /// Reads once, if `stimulus` asks for it, and returns whether there is something new to look at.
    pub(crate) fn read(&mut self, clock: &Clock, stimulus: Stimulus) -> bool {
        if self.line == Line::Ended
            || self.core.has_pending_input()
            || step(self.standing(), stimulus).read == Read::Nothing
        {
            return false;
        }
        match self.poll_read(clock) {
            Poll::Pending => return false,
            Poll::Ready(Ok(true)) => {}
            Poll::Ready(Ok(false)) => {
                self.line = Line::Ended;
                self.core.handle_eof(clock.now());
            }
            Poll::Ready(Err(error)) => {
                self.line = Line::Ended;
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

    /// Reads once, to where the core says, and returns whether anything came; at the end of the
    /// stream nothing does.
    fn poll_read(&mut self, clock: &Clock) -> Poll<io::Result<bool>> {
        let mut cx = Context::from_waker(&self.waker);
        if let Some(read) = read_into_message(&mut self.core, &mut self.transport, &mut cx) {
            let count = ready!(read)?;
            if count > 0 {
                self.core.received(clock.now(), &mut Vec::new());
            }
            return Poll::Ready(Ok(count > 0));
        }
        let role = self.core.role();
        with_read_buffer(self.read_size, role, |buffer| {
            let room = buffer.capacity();
            let mut into = (&mut *buffer).limit(room);
            let count = ready!(self.transport.poll_read(&mut cx, &mut into))?;
            if count > 0 {
                self.read_size = ReadSize::after(count, role);
                self.core.received(clock.now(), buffer);
            }
            Poll::Ready(Ok(count > 0))
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
        if let Some(rare) = self.rare.take() {
            let ending = Arc::make_mut(&mut ending);
            ending.unsent += rare.refused;
            if ending.cause == Cause::HandlerFailed
                && let Some(failure) = rare.failure
            {
                ending.detail = Detail::Text(failure.into());
            }
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

/// Reads into the unfinished message, if it has room: in memory of its own, or in the buffer in which
/// it has begun.
fn read_into_message(
    core: &mut Connection<Entropy>,
    transport: &mut dyn Transport,
    cx: &mut Context<'_>,
) -> Option<Poll<io::Result<usize>>> {
    if let Some(mut room) = core.poll_receive() {
        return Some(transport.poll_read(cx, &mut room));
    }
    let mut no_buffer = BytesMut::new();
    let begun = core.lend_input(&mut no_buffer);
    let room = begun.capacity() - begun.len();
    (room > 0).then(|| transport.poll_read(cx, &mut begun.limit(room)))
}

/// Enough for 584 years.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(NEVER)
}

/// Whether this endpoint ended the connection without regard to messages that still came.
fn is_own_decision(cause: Cause) -> bool {
    cause.kind() == CauseKind::Own || cause == Cause::HandlerFailed
}

/// The error number, or else the text.
pub(crate) fn detail(error: &io::Error) -> Detail {
    match error.raw_os_error() {
        Some(number) => Detail::Os(number),
        None => Detail::Text(error.to_string().into()),
    }
}
