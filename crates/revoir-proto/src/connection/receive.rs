//! Bytes in, events out.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::connection::Connection;
use crate::connection::reading::{Receive, Received};
use crate::error::ProtocolError;
use crate::event::Event;
use crate::frame::{CloseFrame, Opcode};
use crate::random::Random;
use crate::state::State;

impl<R: Random> Connection<R> {
    /// Takes bytes from the peer. The buffer is taken as it is, and messages that it contains
    /// whole come out as slices of it; a connection keeps no buffer once the input is decoded. A
    /// slice holds on to its whole buffer: who keeps small messages for long copies them.
    ///
    /// Afterwards the driver calls [`poll_event`](Self::poll_event) until it returns `None`. Input
    /// that arrives before is appended, with a copy.
    pub fn handle_input(&mut self, now: Duration, input: BytesMut) {
        let now = self.own_time(now);
        let parts = &mut self.parts;
        if input.is_empty() || parts.state == State::Closed {
            return;
        }
        parts.liveness.on_received(now);
        if matches!(parts.receive, Receive::Discarding) {
            return;
        }
        if parts.input.is_empty() {
            parts.input = input;
            parts.arrived = now.into();
            parts.deaf_since.get_or_insert(parts.arrived);
        } else {
            parts.input.extend_from_slice(&input);
        }
    }

    /// Takes bytes from the peer out of the driver's own buffer, if all of them lie within one
    /// frame of an unfinished message, and cause no event: they are copied into the message at
    /// once. Returns whether they were taken; if not, they go to
    /// [`handle_input`](Self::handle_input).
    ///
    /// To offer bytes here first spares a buffer and a round of the driver's loop for each piece of
    /// a long message. Nothing else depends on it. Afterwards there is no event and nothing to
    /// write; [`poll_timeout`](Self::poll_timeout) may have changed, as after all input.
    pub fn handle_payload(&mut self, now: Duration, bytes: &[u8]) -> bool {
        let parts = &mut self.parts;
        if parts.state == State::Closed || !parts.input.is_empty() {
            return false;
        }
        let Receive::Decoding(reading) = &mut parts.receive else {
            return false;
        };
        let taken = reading.take_payload(bytes);
        if taken {
            let now = self.own_time(now);
            self.parts.liveness.on_received(now);
            self.parts.arrived = now.into();
        }
        taken
    }

    /// The next event. It decodes no more input than it needs, so an application that does not ask
    /// holds the peer back.
    ///
    /// `now` is passed because what is found may start a deadline.
    pub fn poll_event(&mut self, now: Duration) -> Option<Event> {
        let now = self.own_time(now);
        while let Some(event) = self.poll_input(now) {
            self.listen(now);
            if self.parts.discards_messages && self.is_discarded(&event) {
                continue;
            }
            return Some(event);
        }
        self.listen(now);
        self.poll_end(now)
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
        let Receive::Decoding(reading) = &mut parts.receive else {
            return;
        };
        let limit = parts.config.limits.message;
        let mut untaken = 0;
        while !parts.input.is_empty() {
            let compression = parts.compression.as_deref_mut();
            match reading.next(&mut parts.input, compression, limit) {
                Ok(Some(Received::Message(_))) => untaken += 1,
                Ok(Some(Received::Control(Opcode::Ping | Opcode::Pong, _))) => {}
                Ok(Some(Received::Control(..)) | None) | Err(_) => break,
            }
        }
        if untaken > 0 {
            parts.count_discarded(untaken);
        }
    }

    #[inline]
    pub(super) fn poll_input(&mut self, now: Duration) -> Option<Event> {
        let parts = &mut self.parts;
        let Receive::Decoding(reading) = &mut parts.receive else {
            return None;
        };
        if parts.input.is_empty() {
            return None;
        }
        let compression = parts.compression.as_deref_mut();
        let limit = parts.config.limits.message;
        match reading.next(&mut parts.input, compression, limit) {
            Ok(Some(Received::Message(message))) => {
                parts.last_message = now.into();
                Some(Event::Message(message))
            }
            Ok(Some(Received::Control(opcode, payload))) => {
                Some(self.on_control(now, opcode, payload))
            }
            Ok(None) => None,
            Err(error) => {
                self.fail(now, error);
                Some(Event::Closing)
            }
        }
    }

    /// Replaces the decoder, so that nothing can be decoded any more.
    pub(super) fn discard_input(&mut self) {
        self.parts.receive = Receive::Discarding;
        self.parts.input = BytesMut::new();
        self.parts.compression = None;
    }

    fn on_control(&mut self, now: Duration, opcode: Opcode, payload: Bytes) -> Event {
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
                    Ok(frame) => self.on_close_frame(now, frame),
                    Err(error) => self.fail(now, error),
                }
                Event::Closing
            }
            // Data frames go to the assembler.
            Opcode::Continuation | Opcode::Text | Opcode::Binary => {
                self.fail(now, ProtocolError::ContinuationUnexpected);
                Event::Closing
            }
        }
    }
}
