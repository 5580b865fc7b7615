//! Bytes in, events out.

use std::time::Duration;

use bytes::buf::Limit;
use bytes::{Bytes, BytesMut};

use crate::connection::Connection;
use crate::connection::step::Incident;
use crate::error::ProtocolError;
use crate::event::Event;
use crate::frame::{CloseFrame, Opcode};
use crate::intake::{Arrival, Intake, Received};
use crate::nanos::Nanos;
use crate::random::Random;
use crate::state::State;

impl<R: Random> Connection<R> {
    /// Where to read next: the twin of [`poll_transmit`](Self::poll_transmit).
    ///
    /// In the middle of a long message it is the memory of that message, which then has room for
    /// its rest, at most three times as much as has arrived of it, and for 256 bytes beyond. `None`: the
    /// driver reads into a buffer of its own. Either way it says so with
    /// [`received`](Self::received).
    #[inline]
    pub fn poll_receive(&mut self) -> Option<Limit<&mut Vec<u8>>> {
        self.parts.intake.as_mut()?.room()
    }

    /// Where to read to if [`poll_receive`](Self::poll_receive) says nothing, for a driver whose own
    /// `buffer` may be given away: to `buffer`, or right behind the start of a message that lies in the
    /// same memory.
    ///
    /// For that the connection takes the rest of `buffer`, and gives it back with the first call after
    /// the message has ended, so the driver calls this before each read. Meanwhile `buffer` is empty;
    /// the driver may reserve more room in what is returned, which moves the start of the message along.
    /// A driver that reads for many connections into the same memory has no such buffer: it passes an empty
    /// one, and where what is returned has room, a message lies there that [`received`](Self::received) has
    /// left in place; else it reads into its own memory. It reserves nothing.
    ///
    /// If `buffer` is empty after the read, the driver calls [`received`](Self::received) with no bytes,
    /// and otherwise splits `buffer` for [`handle_input`](Self::handle_input).
    #[inline]
    pub fn lend_input<'a>(&'a mut self, buffer: &'a mut BytesMut) -> &'a mut BytesMut {
        match &mut self.parts.intake {
            Some(intake) => intake.lend(buffer),
            None => buffer,
        }
    }

    /// Takes note of bytes that were read: to where [`poll_receive`](Self::poll_receive) or
    /// [`lend_input`](Self::lend_input) said, or else to the driver's own `buffer`, which is empty afterwards.
    ///
    /// Bytes in `buffer` that belong to a message whose end is not there are copied into it; or `buffer`
    /// becomes its memory, if they begin and half fill it and there is room for the end. All
    /// others are taken along with the memory of `buffer` if they fill half of it, and copied
    /// together if not; whole messages are slices of that. So who keeps a message holds on to what
    /// was received with it, and to no more than that again.
    ///
    /// Afterwards, if [input waits](Self::has_pending_input), the driver calls
    /// [`poll_event`](Self::poll_event) until it returns `None`.
    #[inline]
    pub fn received(&mut self, now: Duration, buffer: &mut Vec<u8>) {
        let limit = self.parts.config.limits.message;
        let now = self.own_time(now);
        self.arrive(now, |intake| match buffer.is_empty() {
            true => intake.fill(),
            false => intake.take(buffer, limit),
        });
        buffer.clear();
    }

    /// Takes bytes in memory that the connection may keep: messages that are whole in there come
    /// out as slices of it. 256 bytes or more of a message whose end is missing stay in there as well,
    /// as long as what is handed over next lies right behind them in the same memory
    /// ([`BytesMut::split`] of one buffer); else they are copied. What was read into a buffer that is used again is for
    /// [`received`](Self::received).
    ///
    /// Afterwards, if [input waits](Self::has_pending_input), the driver calls
    /// [`poll_event`](Self::poll_event) until it returns `None`. Input that arrives before is
    /// appended, with a copy if it lies elsewhere.
    #[inline]
    pub fn handle_input(&mut self, now: Duration, input: BytesMut) {
        if !input.is_empty() {
            let now = self.own_time(now);
            self.arrive(now, |intake| intake.give(input));
        }
    }

    /// Has the intake take bytes that came at `now`.
    #[inline]
    fn arrive(&mut self, now: Nanos, take: impl FnOnce(&mut Intake) -> Arrival) {
        let parts = &mut self.parts;
        if parts.state == State::Closed {
            return;
        }
        if parts.liveness.note_received(now) {
            self.renew_life();
        }
        let parts = &mut self.parts;
        let Some(intake) = &mut parts.intake else {
            return;
        };
        match take(intake) {
            Arrival::Taken => parts.arrived = now,
            Arrival::First => {
                parts.arrived = now;
                parts.deaf_since.get_or_insert(now);
                parts.input_waits = true;
            }
            Arrival::Behind => {}
        }
    }

    /// The next event. It decodes no more input than it needs, so an application that does not ask
    /// holds the peer back.
    ///
    /// `now` is passed because what is found may start a deadline.
    pub fn poll_event(&mut self, now: Duration) -> Option<Event> {
        let now = self.own_time(now);
        loop {
            match self.poll_input(now) {
                None => return self.poll_end(now),
                Some(event) if self.parts.discards_messages && self.is_discarded(&event) => {}
                event => return event,
            }
        }
    }

    /// From now on nobody takes messages: they are still decoded, checked and counted in
    /// [`Ending::discarded`](crate::Ending::discarded), but do not come as events. Pings are
    /// answered as before, and the peer's Close frame is found behind the messages.
    ///
    /// A driver calls it once the receiving half of the application is gone, and after a close if
    /// the application takes nothing any more: otherwise input that nobody takes would stop it
    /// from reading, and our Close frame would stay unanswered until the end of the budget.
    ///
    /// What waits to be decoded is decoded now; of its events only [`Event::Ended`] is still told.
    pub fn discard_messages(&mut self, now: Duration) {
        let now = self.own_time(now);
        self.parts.discards_messages = true;
        self.discard_pending(now);
        if self.parts.input_end.is_some() {
            self.apply_end(now);
        }
    }

    /// Counts messages that the driver has taken and thrown away, for
    /// [`Ending::discarded`](crate::Ending::discarded). Once the connection has ended this changes
    /// nothing.
    pub fn count_discarded(&mut self, count: u64) {
        self.parts.count_discarded(count);
    }

    /// Whether `event` is a message that nobody takes; it is counted.
    pub(super) fn is_discarded(&mut self, event: &Event) -> bool {
        let is_message = matches!(event, Event::Message(_));
        if is_message {
            self.parts.count_discarded(1);
        }
        is_message
    }

    /// Counts the messages that nobody took, up to a Close frame or a broken rule, and does nothing
    /// about either.
    pub(super) fn count_untaken(&mut self) {
        let parts = &mut self.parts;
        let Some(intake) = &mut parts.intake else {
            return;
        };
        let limit = parts.config.limits.message;
        let mut untaken = 0;
        while !intake.is_empty() {
            let compression = parts.compression.as_deref_mut();
            match intake.next(compression, limit) {
                Ok(Some(Received::Message(_))) => untaken += 1,
                Ok(Some(Received::Control(Opcode::Ping | Opcode::Pong, _))) => {}
                Ok(Some(Received::Control(..)) | None) | Err(_) => break,
            }
        }
        parts.input_waits = !intake.is_empty();
        if untaken > 0 {
            parts.count_discarded(untaken);
        }
    }

    /// Decodes the next event.
    #[inline]
    pub(super) fn poll_input(&mut self, now: Nanos) -> Option<Event> {
        let event = match self.decode() {
            Ok(Some(Received::Message(message))) => {
                self.parts.last_message = now;
                self.listen(now);
                // At once, so that it is moved once.
                return Some(Event::Message(message));
            }
            Ok(Some(Received::Control(opcode, payload))) => {
                Some(self.on_control(now, opcode, payload))
            }
            Ok(None) => None,
            Err(error) => {
                self.step(now, Incident::Fail(error));
                Some(Event::Closing)
            }
        };
        self.listen(now);
        event
    }

    #[inline]
    fn decode(&mut self) -> Result<Option<Received>, ProtocolError> {
        let parts = &mut self.parts;
        if !parts.has_input() {
            return Ok(None);
        }
        let Some(intake) = &mut parts.intake else {
            return Ok(None);
        };
        let compression = parts.compression.as_deref_mut();
        let result = intake.next(compression, parts.config.limits.message);
        parts.input_waits = !intake.is_empty();
        result
    }

    /// Takes the intake away, so that nothing can be decoded any more.
    pub(super) fn discard_input(&mut self) {
        self.parts.intake = None;
        self.parts.input_waits = false;
        self.parts.compression = None;
    }

    fn on_control(&mut self, now: Nanos, opcode: Opcode, payload: Bytes) -> Event {
        match opcode {
            Opcode::Ping => {
                self.answer_ping(now, &payload);
                Event::Ping(payload)
            }
            Opcode::Pong => {
                let rtt = self
                    .parts
                    .liveness
                    .on_pong(self.parts.arrived.into(), &payload);
                Event::Pong { payload, rtt }
            }
            Opcode::Close => {
                match CloseFrame::parse(&payload) {
                    Ok(frame) => self.step(now, Incident::CloseReceived(frame)),
                    Err(error) => self.step(now, Incident::Fail(error)),
                }
                Event::Closing
            }
            // Data frames become messages.
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                self.step(now, Incident::Fail(ProtocolError::ContinuationUnexpected));
                Event::Closing
            }
        }
    }
}
