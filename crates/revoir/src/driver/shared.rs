//! [`Driver`]: what all handles of a connection share.

use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use revoir_proto::extension::AgreedExtensions;
use revoir_proto::{CloseRequest, Config, Connection, Ending, Message, Role, State, UsageError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tracing::Span;
use tracing::span::Entered;

use crate::drain::{NOWHERE, Seat, Tracker};
use crate::driver::clock::Clock;
use crate::driver::engine::{Engine, Held, Receiving, Sending, Taker};
use crate::driver::hub::Hub;
use crate::driver::transport::{Slot, Transport};
use crate::driver::write_buffer::{keep_write_buffer, take_write_buffer};
use crate::entropy::Entropy;
use crate::observer::{Observer, announce, announce_opening};
use crate::websocket::push_message;

/// One connection, whatever it runs over.
pub(crate) type Shared = Arc<Driver<dyn Transport>>;

/// One connection: its engine under a lock, and the hub that wakes.
pub(crate) struct Driver<T: ?Sized> {
    pub(crate) hub: Arc<Hub>,
    /// The zero of the core's clock.
    pub(crate) epoch: Instant,
    /// Few connections have any.
    extras: Option<Box<Extras>>,
    home: Arc<Home>,
    /// What the connection is called in the registry.
    key: AtomicUsize,
    engine: Mutex<Engine<T>>,
}

/// What the connections of one client or acceptor share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Home {
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// Where a server's connections are known.
    pub(crate) tracker: Option<Tracker>,
}

/// What a connection keeps if there is any.
#[derive(Debug)]
struct Extras {
    agreed: Agreed,
    /// Disabled if nobody listens.
    span: Span,
}

/// What the opening handshake agreed on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agreed {
    pub(crate) subprotocol: Option<String>,
    pub(crate) extensions: AgreedExtensions,
}

/// What a connection starts with, after its opening handshake.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) role: Role,
    pub(crate) config: Arc<Config>,
    pub(crate) agreed: Agreed,
    /// Bytes that came behind the handshake.
    pub(crate) input: BytesMut,
    pub(crate) home: Arc<Home>,
    /// The place of a server's connection.
    pub(crate) seat: Option<Seat>,
    /// What the log calls the connection.
    pub(crate) span: Span,
}

impl Extras {
    fn new(agreed: Agreed, span: Span) -> Option<Box<Self>> {
        let is_plain =
            agreed.subprotocol.is_none() && agreed.extensions == AgreedExtensions::default();
        (!is_plain || !span.is_disabled()).then(|| Box::new(Self { agreed, span }))
    }
}

impl Driver<dyn Transport> {
    pub(crate) fn start<S>(stream: S, start: Start) -> Shared
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let now = Duration::ZERO;
        let core = Connection::new(now, start.role, start.config, Entropy);
        let mut core = core.with_extensions(start.agreed.extensions);
        core.handle_input(now, start.input);
        announce_opening(start.role, start.home.observer.as_deref());
        let hub = Arc::new(Hub::default());
        // The handshake may have left messages behind, so the first turn is due.
        hub.restore_due();
        let engine = Engine::new(core, Waker::from(Arc::clone(&hub)), Slot::new(stream));
        let driver = Arc::new(Driver {
            hub,
            epoch: Instant::now(),
            extras: Extras::new(start.agreed, start.span),
            home: start.home,
            key: AtomicUsize::new(NOWHERE),
            engine: Mutex::new(engine),
        });
        let driver: Shared = driver;
        if let Some(seat) = start.seat
            && let Some(farewell) = seat.sit(Arc::downgrade(&driver), &driver.key)
        {
            driver.drain(&farewell, Duration::ZERO);
        }
        driver
    }

    pub(crate) fn role(&self) -> Role {
        self.read(|engine| engine.core.role())
    }

    pub(crate) fn subprotocol(&self) -> Option<&str> {
        self.extras.as_ref()?.agreed.subprotocol.as_deref()
    }

    pub(crate) fn extensions(&self) -> AgreedExtensions {
        let extras = self.extras.as_ref();
        extras.map_or_else(AgreedExtensions::default, |extras| extras.agreed.extensions)
    }

    /// Enters the connection's span, if it has one: what is logged from here on belongs to it.
    pub(crate) fn enter(&self) -> Option<Entered<'_>> {
        Some(self.extras.as_ref()?.span.enter())
    }

    /// Looks at the engine.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&Engine<dyn Transport>) -> R) -> R {
        look(&self.engine.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Works on the engine, and wakes whoever can go on afterwards.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Engine<dyn Transport>, &Clock) -> R) -> R {
        self.work(|engine, clock| {
            let result = work(engine, clock);
            // At the end of its turn the keeper looks at the deadlines in any case.
            if !self.hub.is_in_turn() && engine.rings_too_late() {
                self.hub.set_due();
            }
            result
        })
    }

    /// [`with`](Self::with), for work that leaves the keeper's timer right.
    pub(crate) fn work<R>(&self, work: impl FnOnce(&mut Engine<dyn Transport>, &Clock) -> R) -> R {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let was_over = engine.ending.is_some();
        let was_open = engine.core.state() == State::Open;
        let mut buffer = take_write_buffer();
        engine.core.lend_buffer(&mut buffer);
        let result = work(&mut engine, &Clock::new(self.epoch));
        engine.core.return_buffer(&mut buffer);
        keep_write_buffer(buffer);
        let ended = engine.finish_if_ended();
        let wakes_receiver = match engine.receiving {
            Receiving::No | Receiving::Woken => Receiving::No,
            waiting if ended || !engine.inbox.is_empty() => waiting,
            Receiving::InTurn | Receiving::Elsewhere => Receiving::No,
        };
        let sends = match engine.sending {
            Sending::Nothing => false,
            Sending::Room => ended || engine.core.is_writable(),
            Sending::Ended => ended,
            Sending::Flushed => ended || engine.is_flushed(),
        };
        let announced = (ended && !was_over)
            .then(|| engine.ending.clone())
            .flatten();
        if wakes_receiver != Receiving::No {
            engine.receiving = Receiving::Woken;
        }
        if sends {
            engine.sending = Sending::Nothing;
        }
        let role = engine.core.role();
        let begins_to_close = was_open && engine.core.state() != State::Open;
        drop(engine);
        if begins_to_close {
            self.hub.wake_closed();
        }
        // Whoever is woken comes back and says so, if it still waits.
        match wakes_receiver {
            Receiving::InTurn => self.hub.wake_keeper(),
            Receiving::Elsewhere => self.hub.wake_receiving(),
            Receiving::No | Receiving::Woken => {}
        }
        if sends {
            self.hub.wake_sending();
        }
        if let Some(ending) = announced {
            let _inside = self.enter();
            announce(role, &ending, self.home.observer.as_deref());
            self.leave(Some(&ending));
            self.hub.wake_all();
        }
        result
    }

    pub(crate) fn poll_recv(&self, cx: &Context<'_>) -> Poll<Result<Message, Arc<Ending>>> {
        self.with(|engine, clock| {
            engine.asked_while_closing |= engine.core.state() == State::Closing;
            engine.receiving = Receiving::No;
            if let Some(message) = engine.inbox.pop() {
                if engine.inbox.is_empty() && engine.paused {
                    engine.resume(clock);
                    self.hub.set_due();
                }
                return Poll::Ready(Ok(message));
            }
            if let Some(ending) = &engine.ending {
                return Poll::Ready(Err(Arc::clone(ending)));
            }
            engine.resume(clock);
            let in_turn = self.hub.is_in_turn();
            if in_turn && engine.core.has_pending_input() {
                // What was read together needs no transport, so the connection stays due.
                engine.reuse_time(clock);
                if let Some(message) = engine.take_events(clock, Taker::Application) {
                    engine.keep_time(clock);
                    self.hub.set_due();
                    return Poll::Ready(Ok(message));
                }
            }
            let was_due = self.hub.take_due();
            if let Some(message) = engine.drive(clock, Taker::Application) {
                // Either the transport wakes the hub from here on, or the keeper has to look.
                let is_settled = !in_turn
                    && !engine.core.has_pending_input()
                    && engine.is_flushed()
                    && !engine.read(clock);
                if !is_settled {
                    match was_due {
                        true => self.hub.restore_due(),
                        false => self.hub.set_due(),
                    }
                }
                return Poll::Ready(Ok(message));
            }
            if let Some(ending) = &engine.ending {
                return Poll::Ready(Err(Arc::clone(ending)));
            }
            engine.receiving = match self.hub.set_receiving(cx) {
                true => Receiving::InTurn,
                false => Receiving::Elsewhere,
            };
            Poll::Pending
        })
    }

    /// A future that waited for a message was dropped.
    pub(crate) fn stop_receiving(&self) {
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        engine.receiving = Receiving::No;
    }

    /// Whether the stream of messages is over: its last item was the ending.
    pub(crate) fn has_streamed_ending(&self) -> bool {
        self.read(|engine| engine.streamed_ending)
    }

    pub(crate) fn set_streamed_ending(&self) {
        self.with(|engine, _| engine.streamed_ending = true);
    }

    /// Whether a message can be queued. While the connection is closing, this waits for its end.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        self.with(|engine, clock| {
            if let Some(ending) = &engine.ending {
                return Poll::Ready(Err(Arc::clone(ending)));
            }
            if engine.core.state() == State::Open && !engine.core.is_writable() {
                engine.write(clock);
            }
            if engine.core.is_writable() {
                return Poll::Ready(Ok(()));
            }
            self.wait(engine, cx, Sending::Room)
        })
    }

    /// Queues what `push` pushes as soon as there is room. `flush`: and starts to write it.
    pub(crate) fn poll_send(
        &self,
        cx: &Context<'_>,
        flush: bool,
        push: impl FnOnce(&mut Connection<Entropy>, Duration) -> Result<(), UsageError>,
    ) -> Poll<Result<(), Arc<Ending>>> {
        self.with(|engine, clock| {
            if let Some(ending) = &engine.ending {
                return Poll::Ready(Err(Arc::clone(ending)));
            }
            if engine.core.state() == State::Open && !engine.core.is_writable() {
                engine.write(clock);
            }
            if !engine.core.is_writable() {
                return self.wait(engine, cx, Sending::Room);
            }
            if self.hub.is_in_turn() && engine.core.has_pending_input() {
                engine.reuse_time(clock);
            }
            // Only a connection that is about to end refuses what it has room for.
            if push(&mut engine.core, clock.now()).is_err() {
                return self.wait(engine, cx, Sending::Ended);
            }
            if flush && !engine.core.has_pending_input() {
                engine.write(clock);
            } else {
                // Written together with what the rest of this read burst causes.
                self.hub.set_due();
            }
            Poll::Ready(Ok(()))
        })
    }

    /// Queues a message that was let in by `poll_ready`. Returns the ending, if there is one.
    pub(crate) fn queue(&self, message: Message) -> Option<Arc<Ending>> {
        self.with(|engine, clock| {
            if engine.ending.is_none() {
                let queued = push_message(&mut engine.core, clock.now(), message);
                if queued.is_ok() {
                    self.hub.set_due();
                }
            }
            engine.ending.clone()
        })
    }

    /// Waits for the end, in the place of a writer.
    pub(crate) fn poll_ended(&self, cx: &Context<'_>) -> Poll<Arc<Ending>> {
        self.with(|engine, _| {
            if let Some(ending) = &engine.ending {
                return Poll::Ready(Arc::clone(ending));
            }
            engine.sending = Sending::Ended;
            self.hub.set_sending(cx);
            Poll::Pending
        })
    }

    fn wait(
        &self,
        engine: &mut Engine<dyn Transport>,
        cx: &Context<'_>,
        what: Sending,
    ) -> Poll<Result<(), Arc<Ending>>> {
        if engine.finish_if_ended()
            && let Some(ending) = &engine.ending
        {
            return Poll::Ready(Err(Arc::clone(ending)));
        }
        if engine.core.state() == State::Closing && engine.held == Held::Whole {
            // Who waits for the end in here takes no messages meanwhile.
            engine.asked_while_closing = false;
            self.hub.set_due();
        }
        engine.sending = what;
        self.hub.set_sending(cx);
        Poll::Pending
    }

    /// Waits until everything queued was given to the transport, and the transport is flushed.
    pub(crate) fn poll_flush(&self, cx: &Context<'_>) -> Poll<Result<(), Arc<Ending>>> {
        self.with(|engine, clock| {
            if engine.ending.is_none() {
                engine.write(clock);
            }
            if engine.finish_if_ended()
                && let Some(ending) = &engine.ending
            {
                return Poll::Ready(Err(Arc::clone(ending)));
            }
            if engine.is_flushed() {
                return Poll::Ready(Ok(()));
            }
            self.wait(engine, cx, Sending::Flushed)
        })
    }

    pub(crate) fn ping(&self, payload: &[u8]) -> Result<(), UsageError> {
        self.with(|engine, clock| {
            engine.core.send_ping(clock.now(), payload)?;
            engine.write(clock);
            Ok(())
        })
    }

    pub(crate) fn close(&self, request: CloseRequest) {
        self.with(|engine, clock| engine.close(clock, request));
        self.hub.set_due();
    }

    pub(crate) fn ending(&self) -> Option<Arc<Ending>> {
        self.read(|engine| engine.ending.clone())
    }

    pub(crate) fn split(&self) {
        self.with(|engine, _| engine.held = Held::Halves);
    }

    pub(crate) fn drop_reader(&self) {
        self.with(|engine, clock| {
            engine.drop_reader();
            engine.resume(clock);
        });
        self.hub.set_due();
    }

    pub(crate) fn drop_writer(&self) {
        self.with(|engine, _| engine.held = engine.held.without_writer());
        self.hub.set_due();
    }
}

impl<T: ?Sized> Driver<T> {
    /// Gives the place in the registry back.
    fn leave(&self, ending: Option<&Ending>) {
        if let Some(tracker) = &self.home.tracker {
            tracker.registry.leave(&self.key, ending);
        }
    }
}

/// A runtime that shuts down drops connections that have not ended.
impl<T: ?Sized> Drop for Driver<T> {
    fn drop(&mut self) {
        self.leave(None);
    }
}

impl<T: ?Sized> fmt::Debug for Driver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Connection")
            .field("role", &engine.core.role())
            .field("state", &engine.core.state())
            .field("ending", &engine.ending)
            .finish_non_exhaustive()
    }
}
