//! [`Driver`]: moves bytes between two sockets, as a relay says.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use revoir::reconnect::Entropy;
use revoir_adapters::Adapter;
use revoir_proto::{Cause, Detail, SendCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep_until};

use crate::connection::client::Connection;
use crate::connection::held_bytes::Held;
use crate::connection::holding::{Hearing, HoldState, Redial};
use crate::connection::lifetime::Lifetime;
use crate::connection::linger::{BACKEND_LINGER, LINGER, linger_for};
use crate::connection::meter::Meter;
use crate::connection::read_buffer::{READ_BUFFER_BYTES, with_read_buffer};
use crate::connection::returning::Returning;
use crate::connection::transport::{Writer, poll_read};
use crate::relay::{Goodbye, Moment, Outlook, Relay, Side, earlier};
use crate::watch::{Order, Told};

/// Rounds in one go before other tasks of the thread get a turn.
const ROUNDS_PER_POLL: usize = 16;

/// Reads after a failed write: the Close frame may be among the bytes.
const READS_AFTER_FAILURE: usize = 4;

/// One client, its backend, and the relay between them.
pub(crate) struct Driver<S> {
    pub(super) relay: Relay,
    pub(super) connection: Connection,
    pub(super) client: Option<S>,
    pub(super) backend: Option<S>,
    pub(super) redial: Box<dyn Redial<S>>,
    pub(super) hold: Option<Box<HoldState<S>>>,
    /// While its backend is silent.
    pub(super) hearing: Option<Hearing>,
    /// Once there was a deadline.
    timer: Option<Pin<Box<Sleep>>>,
    /// What the timer is set to.
    armed: Option<Duration>,
    pub(super) lifetime: Option<Box<Lifetime>>,
    pub(super) meter: Option<Box<Meter>>,
    /// What it keeps of both sides.
    pub(super) held: Held,
    /// When to look again at a message whose end is missing.
    pub(super) next_look: Option<Duration>,
    /// Whether the upstream was removed.
    pub(super) is_to_move: bool,
    /// From a hold until others have returned too.
    pub(super) returning: Option<Box<Returning>>,
}

impl<S> Driver<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// A driver between `client` and `backend`.
    pub(crate) fn new(
        connection: Connection,
        (compression, adapter): (bool, Option<Box<dyn Adapter>>),
        redial: Box<dyn Redial<S>>,
        client: S,
        backend: S,
    ) -> Self {
        let mut random = Entropy;
        let mut at = moment(connection.now(), &mut random, &Outlook::default);
        let lifetime = Lifetime::new(connection.rules(), at.now, at.random);
        let meter = Meter::new(connection.rules().client_rate, 0);
        let (rules, treatment) = (
            Arc::clone(connection.rules()),
            connection.handle().treatment(),
        );
        let mut relay = Relay::new(&mut at, (rules, treatment), (compression, adapter));
        if connection.session().is_some() {
            relay.client_is_here();
        }
        Self {
            held: connection.held(),
            next_look: None,
            relay,
            connection,
            client: Some(client),
            backend: Some(backend),
            redial,
            hold: None,
            hearing: None,
            timer: None,
            armed: None,
            lifetime,
            meter,
            is_to_move: false,
            returning: None,
        }
    }

    /// Relays until both sides have ended. The bytes are what was read already.
    ///
    /// The future has the driver once: an `async fn` would keep a place for its arguments beside them, and so does an
    /// `async` block for what it captures.
    pub(crate) fn run(
        self,
        from_client: Bytes,
        from_backend: Bytes,
    ) -> impl Future<Output = ()> + Send + use<S> {
        poll_fn(self.running(from_client, from_backend))
    }

    /// The same, as the handler of a session.
    pub(crate) fn handle(
        self,
        from_client: Bytes,
        from_backend: Bytes,
    ) -> impl Future<Output = io::Result<()>> + Send + use<S> {
        let mut running = self.running(from_client, from_backend);
        poll_fn(move |cx| running(cx).map(Ok))
    }

    fn running(
        mut self,
        from_client: Bytes,
        from_backend: Bytes,
    ) -> impl FnMut(&mut Context<'_>) -> Poll<()> + Send + use<S> {
        let mut early = Some((from_client, from_backend));
        move |cx| {
            if let Some((from_client, from_backend)) = early.take() {
                let now = self.connection.now();
                self.take_input(cx, now, Side::Client, &from_client);
                self.take_input(cx, now, Side::Backend, &from_backend);
            }
            self.poll(cx)
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..ROUNDS_PER_POLL {
            let now = self.connection.now();
            let told = self.connection.handle().take(cx.waker());
            if !told.is_nothing() {
                self.hear(cx, now, told);
            }
            self.poll_move(now);
            let mut progressed = self.poll_hold(cx, now);
            progressed |= self.poll_side(cx, now, Side::Client);
            progressed |= self.poll_side(cx, now, Side::Backend);
            progressed |= self.poll_return(cx, now);
            progressed |= self.poll_silence(cx, now);
            self.count(cx, now);
            self.release();
            if let Some(treatment) = self.relay.take_new_treatment() {
                self.connection.handle().set_treatment(treatment);
            }
            if self.relay.is_done() {
                return Poll::Ready(());
            }
            if !progressed && !self.poll_timer(cx, now) {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn hear(&mut self, cx: &mut Context<'_>, now: Duration, told: Told) {
        self.is_to_move |= told.moves;
        if told.has_new_rules {
            self.take_rules(now);
        }
        if let Some(order) = told.order {
            self.obey(cx, now, order);
        }
    }

    /// Does what the connection is told from outside.
    fn obey(&mut self, cx: &mut Context<'_>, now: Duration, order: Order) {
        match order {
            Order::Leave(goodbye) => self.with(now, |relay, at| relay.leave(at, goodbye)),
            Order::End(goodbye) => {
                self.with(now, |relay, at| relay.leave_now(at, goodbye));
                self.flush(cx, now, Side::Client);
                self.with(now, Relay::cut_off);
            }
            Order::Cut => {
                self.client = None;
                let detail = Detail::Text("cut by the gateway".into());
                self.with(now, |relay, at| {
                    relay.handle_lost(at, Side::Client, Cause::Reset, detail);
                });
            }
        }
    }

    /// Writes to and reads from one side, once. Returns whether there is something new to look at.
    pub(super) fn poll_side(&mut self, cx: &mut Context<'_>, now: Duration, side: Side) -> bool {
        let mut progressed = self.push(cx, now, side);
        if self.relay.wants_flush(side) {
            self.flush(cx, now, side);
            progressed |= !self.relay.wants_flush(side);
        }
        let wanted = self.relay.room(side).min(READ_BUFFER_BYTES);
        let room = self.room_for(wanted);
        self.relay.set_reading(now, side, room > 0);
        if room == 0 {
            if let (Side::Client, Some(meter)) = (side, &mut self.meter) {
                meter.stops(now);
            }
            return progressed;
        }
        let has_read = self.read(cx, now, side, room);
        self.count(cx, now);
        has_read || progressed
    }

    /// Reads once, and lets the relay have it.
    fn read(&mut self, cx: &mut Context<'_>, now: Duration, side: Side, room: usize) -> bool {
        let (from, to) = match side {
            Side::Client => (&mut self.client, &mut self.backend),
            Side::Backend => (&mut self.backend, &mut self.client),
        };
        let Some(from) = from else {
            return false;
        };
        let (relay, connection) = (&mut self.relay, &self.connection);
        let mut random = Entropy;
        let outlook = || connection.outlook(now);
        let mut at = moment(now, &mut random, &outlook);
        let mut taken = 0;
        let failure = with_read_buffer(|buffer| {
            match poll_read(from, cx, &mut buffer[..room]) {
                Poll::Pending => return None,
                Poll::Ready(Ok([])) => relay.handle_eof(&mut at, side),
                Poll::Ready(Ok(input)) => {
                    taken = input.len();
                    let mut writer = Writer::new(to.as_mut(), cx);
                    relay.handle_input(&mut at, side, input, &mut writer);
                    return Some(writer.error);
                }
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    relay.handle_truncated(&mut at, side);
                }
                Poll::Ready(Err(error)) => {
                    relay.handle_lost(&mut at, side, Cause::Reset, detail(&error));
                }
            }
            Some(None)
        });
        if taken > 0 {
            self.connection.heard(now, side, taken, &self.relay);
        }
        if side == Side::Client && self.meter.is_some() {
            self.measure(now, taken);
        }
        if let Some(Some(error)) = &failure {
            self.writing_failed(cx, now, side.other(), error);
        }
        failure.is_some()
    }

    fn flush(&mut self, cx: &mut Context<'_>, now: Duration, side: Side) {
        let to = match side {
            Side::Client => &mut self.client,
            Side::Backend => &mut self.backend,
        };
        let (relay, connection) = (&mut self.relay, &self.connection);
        if let (Side::Client, Some(session)) = (side, connection.session()) {
            session.set_ended_by(relay.ended_by());
        }
        let mut random = Entropy;
        let outlook = || connection.outlook(now);
        let mut writer = Writer::new(to.as_mut(), cx);
        relay.flush(&mut moment(now, &mut random, &outlook), side, &mut writer);
        if let Some(error) = writer.error {
            self.writing_failed(cx, now, side, &error);
        }
    }

    /// Has a transport pass on what it took: TLS keeps what TCP did not take. Returns whether that
    /// failed.
    fn push(&mut self, cx: &mut Context<'_>, now: Duration, side: Side) -> bool {
        let stream = match side {
            Side::Client => &mut self.client,
            Side::Backend => &mut self.backend,
        };
        let pushed = stream
            .as_mut()
            .map(|stream| Pin::new(stream).poll_flush(cx));
        if let Some(Poll::Ready(Err(error))) = pushed {
            self.writing_failed(cx, now, side, &error);
            return true;
        }
        false
    }

    /// `side` takes nothing any more. What it said before that still counts.
    pub(super) fn writing_failed(
        &mut self,
        cx: &mut Context<'_>,
        now: Duration,
        side: Side,
        error: &io::Error,
    ) {
        for _ in 0..READS_AFTER_FAILURE {
            if self.relay.room(side) == 0 || !self.read(cx, now, side, READ_BUFFER_BYTES) {
                break;
            }
        }
        let detail = detail(error);
        self.with(now, |relay, at| {
            relay.handle_lost(at, side, Cause::WriteFailed, detail);
        });
    }

    /// Bytes that were read before.
    pub(super) fn take_input(
        &mut self,
        cx: &mut Context<'_>,
        now: Duration,
        side: Side,
        input: &[u8],
    ) {
        if input.is_empty() {
            return;
        }
        let to = match side {
            Side::Client => &mut self.backend,
            Side::Backend => &mut self.client,
        };
        let (relay, connection) = (&mut self.relay, &self.connection);
        let mut random = Entropy;
        let outlook = || connection.outlook(now);
        let mut writer = Writer::new(to.as_mut(), cx);
        relay.handle_input(
            &mut moment(now, &mut random, &outlook),
            side,
            input,
            &mut writer,
        );
        connection.heard(now, side, input.len(), relay);
        let failure = writer.error;
        if side == Side::Client && self.meter.is_some() {
            self.measure(now, input.len());
        }
        if let Some(error) = failure {
            self.writing_failed(cx, now, side.other(), &error);
        }
    }

    /// Measures what the client has sent: `bytes` were read, or none were there. A client that sends
    /// too much is closed.
    fn measure(&mut self, now: Duration, bytes: usize) {
        let Some(meter) = &mut self.meter else {
            return;
        };
        if bytes == 0 {
            meter.is_up_to_date();
            return;
        }
        let Some(limit) = meter.came(now, bytes, self.relay.charged()) else {
            return;
        };
        let goodbye = Goodbye::plain(SendCode::POLICY_VIOLATION, meter.rule(limit));
        self.meter = None;
        self.connection.limited(limit);
        self.with(now, |relay, at| relay.leave(at, goodbye));
    }

    /// Closes the connection if it is too old, or silent for too long.
    fn look_at_lifetime(&mut self, now: Duration) {
        let Some(lifetime) = &mut self.lifetime else {
            return;
        };
        let messages = self.connection.messages();
        if let Some(goodbye) = lifetime.look(now, messages, self.relay.is_busy()) {
            self.lifetime = None;
            self.with(now, |relay, at| relay.leave(at, goodbye));
        }
    }

    fn deadline(&self) -> Option<Duration> {
        let over = self.lifetime.as_ref().and_then(|own| own.deadline());
        earlier(self.relay.deadline(), earlier(over, self.next_look))
    }

    /// Lets go of the sockets of sides that have ended.
    pub(super) fn release(&mut self) {
        for ended in self.relay.take_ended() {
            let stream = match ended.side {
                Side::Client => self.client.take(),
                Side::Backend => self.backend.take(),
            };
            let mut ended = ended;
            if let (Some(stream), Some(rest)) = (stream, ended.rest.take()) {
                let limit = match ended.side {
                    Side::Client => LINGER,
                    Side::Backend => BACKEND_LINGER,
                };
                tokio::spawn(linger_for(limit, stream, rest));
            }
            self.connection.ended(ended);
        }
    }

    /// Does what is due. Returns whether something was.
    fn poll_timer(&mut self, cx: &mut Context<'_>, now: Duration) -> bool {
        while let Some(deadline) = self.deadline() {
            if deadline <= now {
                self.look_at_lifetime(now);
                self.look_at_memory(cx, now);
                self.with(now, |relay, at| relay.handle_timeout(at));
                return true;
            }
            // Deadlines mostly move away; then the timer rings early, and is set again.
            let timer = match &mut self.timer {
                Some(timer) => {
                    if self.armed.is_none_or(|armed| deadline < armed) {
                        timer.as_mut().reset(self.connection.instant(deadline));
                        self.armed = Some(deadline);
                    }
                    timer
                }
                none @ None => {
                    self.armed = Some(deadline);
                    none.insert(Box::pin(sleep_until(self.connection.instant(deadline))))
                }
            };
            if timer.as_mut().poll(cx).is_pending() {
                break;
            }
            self.armed = None;
            if self.connection.now() >= deadline {
                return true;
            }
        }
        false
    }

    pub(super) fn with(&mut self, now: Duration, act: impl FnOnce(&mut Relay, &mut Moment<'_>)) {
        let connection = &self.connection;
        let mut random = Entropy;
        let outlook = || connection.outlook(now);
        act(&mut self.relay, &mut moment(now, &mut random, &outlook));
    }
}

impl<S> Drop for Driver<S> {
    fn drop(&mut self) {
        self.end_hold();
    }
}

pub(super) fn moment<'a>(
    now: Duration,
    random: &'a mut Entropy,
    outlook: &'a dyn Fn() -> Outlook,
) -> Moment<'a> {
    Moment {
        now,
        random,
        outlook,
    }
}

fn detail(error: &io::Error) -> Detail {
    match error.raw_os_error() {
        Some(number) => Detail::Os(number),
        None => Detail::Text(error.to_string().into()),
    }
}
