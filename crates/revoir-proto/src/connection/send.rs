//! Messages and pings out.

use std::time::Duration;

use bytes::Bytes;

use crate::connection::{Connection, Rare};
use crate::error::UsageError;
use crate::frame::{CONTROL_MAX_BYTES, FrameHeader, Opcode};
use crate::message::{BinaryPayload, Message, TextPayload};
use crate::nanos::Nanos;
use crate::output::SHARED_FROM;
use crate::random::Random;
use crate::state::State;

/// While fewer bytes than this are queued, every ping gets its own pong at once. Beyond, one pong at
/// a time is queued, and only the latest one waits for it to leave (RFC 6455 section 5.5.3).
const PONG_ROOM: usize = 4096;

impl<R: Random> Connection<R> {
    /// Queues a text message.
    ///
    /// # Errors
    ///
    /// [`UsageError::NotOpen`], [`UsageError::TransportLost`], or [`UsageError::QueueFull`] at the
    /// high-water mark; see [`is_writable`](Self::is_writable).
    #[inline]
    pub fn send_text(&mut self, now: Duration, text: impl TextPayload) -> Result<(), UsageError> {
        self.check_writable()?;
        let now = self.own_time(now);
        if self.is_sent_by_reference(text.as_payload().len()) {
            self.push_shared(now, Opcode::Text, text.into_payload().into_bytes());
        } else {
            self.push_message(now, Opcode::Text, text.as_payload());
        }
        Ok(())
    }

    /// Queues a binary message.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text).
    #[inline]
    pub fn send_binary(
        &mut self,
        now: Duration,
        payload: impl BinaryPayload,
    ) -> Result<(), UsageError> {
        self.check_writable()?;
        let now = self.own_time(now);
        if self.is_sent_by_reference(payload.as_payload().len()) {
            self.push_shared(now, Opcode::Binary, payload.into_payload());
        } else {
            self.push_message(now, Opcode::Binary, payload.as_payload());
        }
        Ok(())
    }

    /// Queues a message of either kind, for example one that was received.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text).
    pub fn send(&mut self, now: Duration, message: Message) -> Result<(), UsageError> {
        match message {
            Message::Text(text) => self.send_text(now, text),
            Message::Binary(payload) => self.send_binary(now, payload),
        }
    }

    /// Queues a ping. Its pong comes as an event.
    ///
    /// # Errors
    ///
    /// As for [`send_text`](Self::send_text), and [`UsageError::PingTooLong`].
    pub fn send_ping(&mut self, now: Duration, payload: &[u8]) -> Result<(), UsageError> {
        // RFC 6455 section 5.5: a control frame carries 125 bytes at most.
        if payload.len() > CONTROL_MAX_BYTES {
            return Err(UsageError::PingTooLong {
                length: payload.len(),
            });
        }
        self.check_writable()?;
        let now = self.own_time(now);
        self.push_control(now, Opcode::Ping, payload);
        Ok(())
    }

    /// Queues a control frame.
    // Kept apart, so that the queue is inlined where messages are sent.
    #[inline(never)]
    pub(super) fn push_control(&mut self, now: Nanos, opcode: Opcode, payload: &[u8]) {
        self.push_frame(now, opcode, payload);
    }

    /// Queues a frame with a copy of its payload.
    #[inline]
    fn push_frame(&mut self, now: Nanos, opcode: Opcode, payload: &[u8]) {
        let header = self.header(opcode, false);
        self.parts.output.push(now, header, payload);
    }

    pub(super) fn answer_ping(&mut self, now: Nanos, payload: &[u8]) {
        // RFC 6455 section 5.5.1: nothing follows our Close frame.
        if self.parts.state != State::Open || self.is_lost() {
            return;
        }
        if self.has_pong_room() {
            // A pong that still waited would answer an earlier ping.
            self.parts.forget_waiting_pong();
            self.push_pong(now, payload);
        } else {
            self.parts.rare_mut().waiting_pong = Some(payload.into());
        }
    }

    fn push_pong(&mut self, now: Nanos, payload: &[u8]) {
        self.push_control(now, Opcode::Pong, payload);
        self.parts.pong_end = self.parts.output.pushed();
    }

    /// Whether a pong can be queued: little is, or no other pong. An application that never lets
    /// the queue run empty would otherwise look dead to its peer.
    fn has_pong_room(&self) -> bool {
        let output = &self.parts.output;
        output.queued() < PONG_ROOM || self.parts.pong_end <= output.written()
    }

    /// Queues the pong that waited, if there is room for it now.
    #[inline]
    pub(super) fn push_waiting_pong(&mut self, now: Nanos) {
        let waits = |rare: &Rare| rare.waiting_pong.is_some();
        if self.parts.rare.as_deref().is_some_and(waits) && self.has_pong_room() {
            let waiting = self.parts.rare_mut().waiting_pong.take();
            if let Some(payload) = waiting {
                self.push_pong(now, &payload);
            }
        }
    }

    #[inline]
    fn check_writable(&self) -> Result<(), UsageError> {
        let state = self.parts.state;
        if state != State::Open {
            return Err(UsageError::NotOpen { state });
        }
        if self.is_lost() {
            return Err(UsageError::TransportLost);
        }
        let queued = self.parts.output.queued();
        let allowed = self.parts.config.limits.queue;
        if queued >= allowed {
            return Err(UsageError::QueueFull { queued, allowed });
        }
        Ok(())
    }

    #[inline]
    fn is_sent_by_reference(&self, length: usize) -> bool {
        length >= SHARED_FROM && self.sends_as_it_is()
    }

    /// Whether payloads leave as they are.
    // Kept apart, so that short ones cost one comparison.
    #[inline(never)]
    fn sends_as_it_is(&self) -> bool {
        !self.parts.role.masks() && self.parts.compression.is_none()
    }

    fn push_shared(&mut self, now: Nanos, opcode: Opcode, payload: Bytes) {
        self.parts.last_message = now;
        let header = self.header(opcode, false);
        self.parts.output.push_shared(now, header, payload);
    }

    #[inline]
    fn push_message(&mut self, now: Nanos, opcode: Opcode, payload: &[u8]) {
        self.parts.last_message = now;
        if self.parts.compression.is_some() {
            self.push_compressed(now, opcode, payload);
        } else {
            self.push_frame(now, opcode, payload);
        }
    }

    #[inline(never)]
    fn push_compressed(&mut self, now: Nanos, opcode: Opcode, payload: &[u8]) {
        let worth_it = payload.len() >= self.parts.config.compress_from;
        let compressed = match self.parts.compression.as_deref_mut() {
            Some(compression) if worth_it => compression.deflate(payload),
            Some(_) | None => None,
        };
        let Some(compressed) = compressed else {
            self.push_frame(now, opcode, payload);
            return;
        };
        let header = self.header(opcode, true);
        if self.parts.role.masks() || compressed.len() < SHARED_FROM {
            self.parts.output.push(now, header, &compressed);
        } else {
            self.parts
                .output
                .push_shared(now, header, compressed.into());
        }
    }

    #[inline]
    fn header(&mut self, opcode: Opcode, rsv1: bool) -> FrameHeader {
        FrameHeader {
            fin: true,
            rsv1,
            opcode,
            // RFC 6455 section 5.3: a fresh key for every frame.
            masking_key: match self.parts.role.masks() {
                true => Some(self.random.next_u32().to_ne_bytes()),
                false => None,
            },
            length: 0,
        }
    }
}
