//! [`Socket`]: what all handles of a connection and its driver share.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use revoir_proto::extension::AgreedExtensions;
use revoir_proto::{CallSite, CloseRequest, Connection, Ending, Message, Role, State, UsageError};
use tokio::io::{AsyncRead, AsyncWrite};

use tracing::span::Entered;

use crate::below::{Shown, tcp};
use crate::drain::{Drainable, Farewell, NOWHERE};
use crate::driver::clock::Clock;
use crate::driver::epoch::Epoch;
use crate::driver::machine::{Machine, Wakes, Watch};
use crate::driver::push::push_message;
use crate::driver::start::{Extras, Home, ROOT, Start};
use crate::driver::sync::{Mutex, MutexGuard};
use crate::driver::table::{Held, Receiver, Sender, Stimulus, Write, step};
use crate::driver::transport::{Slot, Transport};
use crate::driver::try_send_error::TrySendError;
use crate::driver::wakers::Wakers;
use crate::driver::write_buffer::{keep_write_buffer, take_write_buffer};
use crate::entropy::Entropy;
use crate::observer::{ConnectionInfo, announce, announce_opening};

/// One connection, whatever it runs over.
pub(crate) type Shared = Arc<Socket<dyn Transport>>;

/// One connection: its machine under a lock, and those it wakes.
pub(crate) struct Socket<T: ?Sized> {
    pub(crate) wakers: Arc<Wakers>,
    /// The zero of the core's clock.
    pub(crate) epoch: Epoch,
    /// Few connections have any.
    extras: Option<Box<Extras>>,
    home: Arc<Home>,
    /// What the connection is called in the registry.
    key: AtomicU32,
    /// What the log and the observer call the connection.
    id: u32,
    /// Where the other side is, over IPv4.
    short: Option<Short>,
    machine: Mutex<Machine<T>>,
}

/// An address of IPv4, in as little room as it takes.
#[derive(Clone, Copy)]
struct Short {
    ip: [u8; 4],
    port: [u8; 2],
}

impl Short {
    fn of(peer: Option<SocketAddr>) -> Option<Self> {
        let Some(SocketAddr::V4(peer)) = peer else {
            return None;
        };
        let (ip, port) = (peer.ip().octets(), peer.port().to_ne_bytes());
        Some(Self { ip, port })
    }
}

impl From<Short> for SocketAddr {
    fn from(short: Short) -> Self {
        Self::from((short.ip, u16::from_ne_bytes(short.port)))
    }
}

/// The address at the other end of a TCP socket.
fn peer_of(transport: &(impl Transport + ?Sized)) -> Option<SocketAddr> {
    tcp(transport.stream()?)?.peer_addr().ok()
}

impl<T: ?Sized> Socket<T> {
    pub(crate) fn subprotocol(&self) -> Option<&str> {
        self.extras.as_ref()?.agreed.subprotocol.as_deref()
    }

    fn info(&self, role: Role) -> ConnectionInfo<'_> {
        let extras = self.extras.as_deref();
        let known = extras.map(|extras| &extras.known);
        ConnectionInfo {
            id: self.id,
            role,
            peer: self.peer_addr(),
            path: Some(
                known
                    .and_then(|known| known.path.as_deref())
                    .unwrap_or(ROOT),
            ),
            subprotocol: self.subprotocol(),
            shown: known.and_then(|known| known.shown.as_deref()),
            user: known.map(|known| &known.user),
        }
    }

    /// Where the other side is, also once the connection is over.
    pub(crate) fn peer_addr(&self) -> Option<SocketAddr> {
        match self.short {
            Some(short) => Some(short.into()),
            None => self.extras.as_ref()?.known.peer,
        }
    }
}

impl Socket<dyn Transport> {
    pub(crate) fn start<S>(stream: S, start: Start) -> Shared
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let now = Duration::ZERO;
        let core = Connection::new(now, start.role, start.config, Entropy);
        let mut core = core.with_extensions(start.agreed.extensions);
        core.handle_input(now, start.input);
        let wakers = Arc::new(Wakers::new());
        let slot = Slot::new(stream);
        let mut known = start.known;
        let id = known.id;
        let peer = known.peer.or_else(|| peer_of(&slot));
        let short = Short::of(peer);
        known.peer = peer.filter(|_| short.is_none());
        let is_heard_of = start.home.observer.is_some();
        let shown = || known.shown.take().or_else(|| Shown::on(slot.stream()?));
        known.shown = is_heard_of.then(shown).flatten();
        let machine = Machine::new(core, Waker::from(Arc::clone(&wakers)), slot);
        let socket = Arc::new(Socket {
            wakers,
            epoch: Epoch::now(),
            extras: Extras::new(start.agreed, known, start.span, is_heard_of),
            home: start.home,
            key: AtomicU32::new(NOWHERE),
            id,
            short,
            machine: Mutex::new(machine),
        });
        if let Some(observer) = socket.home.observer.as_deref() {
            announce_opening(&socket.info(start.role), observer);
        }
        if let Some(seat) = start.seat
            && let Some(farewell) = seat.sit(Arc::<Socket<_>>::downgrade(&socket), &socket.key)
        {
            socket.drain(&farewell, Duration::ZERO);
        }
        socket
    }

    pub(crate) fn role(&self) -> Role {
        self.read(|machine| machine.core.role())
    }

    pub(crate) fn extensions(&self) -> AgreedExtensions {
        let extras = self.extras.as_ref();
        extras.map_or_else(AgreedExtensions::default, |extras| extras.agreed.extensions)
    }

    /// Looks at the stream below, while it is there.
    pub(crate) fn below<R>(&self, look: impl FnOnce(&dyn Any) -> Option<R>) -> Option<R> {
        self.read(|machine| look(machine.transport.stream()?))
    }

    /// How many bytes wait to be written.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.read(|machine| machine.core.queued_bytes())
    }

    /// Ends the connection without a Close frame, and resets TCP.
    pub(crate) fn abort(&self, site: CallSite) {
        self.with(|machine, clock| {
            if let Some(tcp) = machine.transport.stream().and_then(tcp)
                && let Err(error) = tcp.set_zero_linger()
            {
                tracing::debug!(target: "revoir", %error, "TCP ends without a reset");
            }
            machine.core.abort_from(clock.now(), site);
        });
        self.wakers.set_due();
    }

    /// Queues a message and starts to write it, if there is room now.
    pub(crate) fn try_send(&self, message: Message) -> Result<(), TrySendError> {
        self.with(|machine, clock| {
            if !machine.core.is_writable() && machine.core.state() == State::Open {
                machine.write(clock);
            }
            let is_over = machine.finish_if_ended();
            if is_over || machine.core.state() != State::Open {
                let ending = machine.ending.clone();
                return Err(TrySendError::Closed { message, ending });
            }
            if !machine.core.is_writable() {
                return Err(TrySendError::Full { message });
            }
            let more_comes = machine.core.has_pending_input();
            if push_message(&mut machine.core, clock.now(), message.clone()).is_err() {
                let ending = machine.ending.clone();
                return Err(TrySendError::Closed { message, ending });
            }
            match step(machine.standing(), Stimulus::Send).write {
                Write::Now if !more_comes => machine.write(clock),
                Write::Now | Write::Later => self.wakers.set_due(),
                Write::Nothing => {}
            }
            Ok(())
        })
    }

    /// Enters the connection's span, if it has one: what is logged from here on belongs to it.
    pub(crate) fn enter(&self) -> Option<Entered<'_>> {
        Some(self.extras.as_ref()?.span.enter())
    }

    /// Looks at the machine.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&Machine<dyn Transport>) -> R) -> R {
        look(&self.lock())
    }

    /// Works on the machine, sees to it that the driver's timer is right, and wakes whoever can go
    /// on.
    fn with<R>(&self, work: impl FnOnce(&mut Machine<dyn Transport>, &Clock) -> R) -> R {
        self.work(|machine, clock| {
            let result = work(machine, clock);
            // Behind a handler the driver looks at the deadlines in any case.
            if !self.wakers.is_in_turn() && machine.rings_too_late() {
                self.wakers.set_due();
            }
            result
        })
    }

    /// [`with`](Self::with), for work that leaves the driver's timer right.
    ///
    /// The order is that of every piece of work: under the lock I/O, events and deadlines; outside
    /// of it the wakes, and code of the application last.
    pub(super) fn work<R>(&self, work: impl FnOnce(&mut Machine<dyn Transport>, &Clock) -> R) -> R {
        let mut machine = self.lock();
        let before = machine.phase();
        let clock = Clock::new(self.epoch, machine.latest());
        let mut buffer = take_write_buffer();
        machine.core.lend_buffer(&mut buffer);
        let result = work(&mut machine, &clock);
        // Behind a handler the driver writes what it has queued, and gives the buffer back then.
        if !self.wakers.is_in_turn() {
            machine.core.return_buffer(&mut buffer);
        }
        keep_write_buffer(buffer);
        machine.keep_time(&clock);
        machine.finish_if_ended();
        self.wakers.set_blocked(!machine.is_flushed());
        let wakes = machine.wakes(before);
        let role = machine.core.role();
        drop(machine);
        if let Some(wakes) = wakes {
            self.wake(role, wakes);
        }
        result
    }

    fn wake(&self, role: Role, wakes: Wakes) {
        if wakes.sender {
            self.wakers.wake_sender();
        }
        if wakes.watchers {
            self.wakers.wake_watchers();
        }
        match wakes.receiver {
            Some(Receiver::Inside) => self.wakers.wake_driver(),
            Some(_) => self.wakers.wake_receiver(),
            None => {}
        }
        if let Some(ending) = wakes.ending {
            // Whoever waits for the end may rely on it that the observer has seen it, and a
            // drain counts it.
            let _inside = self.enter();
            let observer = self.home.observer.as_deref();
            announce(&self.info(role), &ending, observer);
            self.leave(Some(&ending));
            self.wakers.wake_all();
        }
    }

    /// The next message for a receiver that asks.
    pub(crate) fn poll_recv(&self, cx: &Context<'_>) -> Poll<Result<Message, Arc<Ending>>> {
        self.with(|machine, clock| {
            machine.asked_while_closing |= machine.core.state() == State::Closing;
            machine.receiver = Receiver::Absent;
            let in_turn = self.wakers.is_in_turn();
            if in_turn && machine.core.has_pending_input() && machine.inbox.is_empty() {
                // What was read together needs no transport, so the driver still has to look; and
                // it came at the same time.
                clock.stand_still();
                if let Some(message) = machine.take_events(clock, Stimulus::Receive) {
                    self.wakers.set_due();
                    return Poll::Ready(Ok(message));
                }
            }
            let was_due = self.wakers.come();
            if let Some(message) = machine.inbox.pop() {
                if machine.inbox.is_empty() && machine.is_paused() {
                    machine.resume(clock);
                    self.wakers.set_due();
                } else if was_due {
                    self.wakers.set_due();
                }
                return Poll::Ready(Ok(message));
            }
            if let Some(ending) = &machine.ending {
                return Poll::Ready(Err(Arc::clone(ending)));
            }
            machine.resume(clock);
            let message = machine.drive(clock, Stimulus::Receive);
            // A write that failed has left the rest in the inbox.
            if let Some(message) = message.or_else(|| machine.inbox.pop()) {
                // Either the transport wakes somebody from here on, or the driver has to look.
                let is_settled = !in_turn
                    && !machine.core.has_pending_input()
                    && machine.is_flushed()
                    && !machine.read(clock, Stimulus::Receive);
                if machine.watch == Watch::On && !in_turn {
                    machine.watch = Watch::Served;
                }
                if !is_settled {
                    self.wakers.set_due();
                }
                return Poll::Ready(Ok(message));
            }
            if let Some(ending) = &machine.ending {
                return Poll::Ready(Err(Arc::clone(ending)));
            }
            machine.receiver = match self.wakers.set_receiver(cx) {
                true => Receiver::Inside,
                false => Receiver::Outside,
            };
            Poll::Pending
        })
    }

    /// A future that waited for a message was dropped.
    pub(crate) fn stop_receiving(&self) {
        self.lock().receiver = Receiver::Absent;
        self.wakers.forget_receiver();
    }

    /// Whether the stream of messages is over: its last item was the ending.
    pub(crate) fn has_streamed_ending(&self) -> bool {
        self.read(Machine::has_streamed_ending)
    }

    pub(crate) fn set_streamed_ending(&self) {
        self.lock().note_streamed_ending();
    }

    /// Whether a message can be queued. While the connection is closing, this waits for its end.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        self.with(|machine, clock| {
            if !machine.core.is_writable() && machine.core.state() == State::Open {
                machine.write(clock);
            }
            match machine.core.is_writable() {
                true => Poll::Ready(Ok(())),
                false => self.wait(machine, cx, Sender::Room),
            }
        })
    }

    /// Queues what `push` pushes, as soon as there is room, and writes it now (`Send`) or soon
    /// (`Feed`). If that write finds the transport broken, what was queued counts as unsent.
    pub(crate) fn poll_send(
        &self,
        cx: &Context<'_>,
        stimulus: Stimulus,
        push: impl FnOnce(&mut Connection<Entropy>, Duration) -> Result<(), UsageError>,
    ) -> Poll<Result<(), Arc<Ending>>> {
        self.with(|machine, clock| {
            if !machine.core.is_writable() && machine.core.state() == State::Open {
                machine.write(clock);
            }
            if !machine.core.is_writable() {
                return self.wait(machine, cx, Sender::Room);
            }
            let more_comes = machine.core.has_pending_input();
            if more_comes && self.wakers.is_in_turn() {
                clock.stand_still();
            }
            if push(&mut machine.core, clock.now()).is_err() {
                return self.wait(machine, cx, Sender::End);
            }
            match step(machine.standing(), stimulus).write {
                Write::Now if !more_comes => machine.write(clock),
                // Together with what the rest of this read causes.
                Write::Now | Write::Later => self.wakers.set_due(),
                Write::Nothing => {}
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Queues a message that was let in by `poll_ready`. Returns the ending, if there is one.
    pub(crate) fn queue(&self, message: Message) -> Option<Arc<Ending>> {
        self.with(|machine, clock| {
            if machine.ending.is_none() {
                let length = message.as_bytes().len();
                match push_message(&mut machine.core, clock.now(), message) {
                    Ok(()) => self.wakers.set_due(),
                    Err(_) => machine.count_refused(length),
                }
            }
            machine.ending.clone()
        })
    }

    /// Waits for the end, in the place of a sender.
    pub(crate) fn poll_ended(&self, cx: &Context<'_>) -> Poll<Arc<Ending>> {
        self.with(|machine, _| {
            if let Some(ending) = &machine.ending {
                return Poll::Ready(Arc::clone(ending));
            }
            machine.sender = Sender::End;
            self.wakers.set_sender(cx);
            Poll::Pending
        })
    }

    fn wait(
        &self,
        machine: &mut Machine<dyn Transport>,
        cx: &Context<'_>,
        sender: Sender,
    ) -> Poll<Result<(), Arc<Ending>>> {
        if machine.finish_if_ended()
            && let Some(ending) = &machine.ending
        {
            return Poll::Ready(Err(Arc::clone(ending)));
        }
        if machine.core.state() == State::Closing && machine.held == Held::Whole {
            // Who waits for the end in here takes no messages meanwhile.
            machine.asked_while_closing = false;
            self.wakers.set_due();
        }
        machine.sender = sender;
        self.wakers.set_sender(cx);
        Poll::Pending
    }

    /// Waits until everything queued was given to the transport, and the transport is flushed.
    pub(crate) fn poll_flush(&self, cx: &Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        self.with(|machine, clock| {
            if machine.ending.is_none() {
                machine.write(clock);
            }
            match machine.is_flushed() && !machine.finish_if_ended() {
                true => Poll::Ready(Ok(())),
                false => self.wait(machine, cx, Sender::Flush),
            }
        })
    }

    pub(crate) fn ping(&self, payload: &[u8]) -> Result<(), UsageError> {
        self.with(|machine, clock| {
            machine.core.send_ping(clock.now(), payload)?;
            machine.write(clock);
            Ok(())
        })
    }

    pub(crate) fn close(&self, request: CloseRequest) {
        self.with(|machine, clock| machine.close(clock, request));
        self.wakers.set_due();
    }

    /// Closes because the handler failed, and says why in the ending.
    pub(super) fn fail(&self, failure: String, request: CloseRequest) {
        self.lock().note_failure(failure);
        self.close(request);
    }

    /// Closes with `farewell`. If somebody awaits the drain, it is told first, and this returns
    /// true: call again without a notice when that is over.
    pub(crate) fn drain(&self, farewell: &Farewell, notice: Duration) -> bool {
        let is_told = self.with(|machine, clock| {
            if machine.core.state() != State::Open {
                return false;
            }
            if !notice.is_zero() && self.wakers.tell(farewell) {
                return true;
            }
            machine.close(clock, farewell.request());
            false
        });
        match is_told {
            true => self.wakers.wake_watchers(),
            false => self.wakers.set_due(),
        }
        is_told
    }

    /// Ends the connection, whatever the peer does. What can be written at once is.
    pub(crate) fn cut(&self, farewell: &Farewell) {
        self.with(|machine, clock| {
            machine.close(clock, farewell.request());
            machine.core.abort(clock.now());
        });
    }

    /// Whether a drain has reached the connection, or it is closing anyway.
    pub(crate) fn is_drained(&self) -> bool {
        self.wakers.farewell().is_some() || self.read(|machine| machine.core.state() != State::Open)
    }

    pub(crate) fn ending(&self) -> Option<Arc<Ending>> {
        self.read(|machine| machine.ending.clone())
    }

    pub(crate) fn split(&self) {
        self.lock().held = Held::Halves;
    }

    pub(crate) fn drop_reader(&self) {
        self.with(|machine, clock| {
            machine.drop_reader();
            machine.resume(clock);
        });
        self.wakers.forget_receiver();
        self.wakers.set_due();
    }

    pub(crate) fn drop_writer(&self) {
        let mut machine = self.lock();
        machine.held = machine.held.without_writer();
        drop(machine);
        self.wakers.set_due();
    }
}

impl<T: ?Sized> Socket<T> {
    fn lock(&self) -> MutexGuard<'_, Machine<T>> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the place in the registry back.
    fn leave(&self, ending: Option<&Ending>) {
        if let Some(tracker) = &self.home.tracker {
            tracker.registry.leave(&self.key, ending);
        }
    }
}

/// Of each kind of stream: a `dyn Drainable` cannot be made of a `Socket<dyn Transport>`.
impl<T: Transport + 'static> Drainable for Socket<T> {
    fn drain(&self, farewell: &Farewell, notice: Duration) -> bool {
        let socket: &Socket<dyn Transport> = self;
        socket.drain(farewell, notice)
    }

    fn cut(&self, farewell: &Farewell) {
        let socket: &Socket<dyn Transport> = self;
        socket.cut(farewell);
    }
}

/// A runtime that shuts down drops connections that have not ended.
impl<T: ?Sized> Drop for Socket<T> {
    fn drop(&mut self) {
        self.leave(None);
    }
}

impl<T: ?Sized> fmt::Debug for Socket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = self.lock();
        f.debug_struct("Connection")
            .field("role", &machine.core.role())
            .field("state", &machine.core.state())
            .field("ending", &machine.ending)
            .finish_non_exhaustive()
    }
}
