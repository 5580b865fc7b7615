//! The end of the transport, and the one [`Ending`].

use std::sync::Arc;
use std::time::Duration;

use crate::closing::ClosingHandshake;
use crate::connection::Connection;
use crate::connection::step::Incident;
use crate::ending::{Cause, Detail, Ending, Finish, InputEnd};
use crate::event::Event;
use crate::frame::CloseFrame;
use crate::intake::Intake;
use crate::nanos::Nanos;
use crate::random::Random;
use crate::state::State;

impl<R: Random> Connection<R> {
    /// The peer's stream ended: a read returned no bytes.
    pub fn handle_eof(&mut self, now: Duration) {
        let now = self.own_time(now);
        self.note_end(now, InputEnd::Eof);
    }

    /// A read failed: TCP was reset, for example.
    pub fn handle_reset(&mut self, now: Duration, detail: Detail) {
        let cause = Cause::Reset;
        let now = self.own_time(now);
        self.note_end(now, InputEnd::Lost { cause, detail });
    }

    /// TLS ended without a close_notify alert (RFC 8446 section 6.1).
    pub fn handle_tls_truncated(&mut self, now: Duration) {
        let (cause, detail) = (Cause::TlsTruncated, Detail::None);
        let now = self.own_time(now);
        self.note_end(now, InputEnd::Lost { cause, detail });
    }

    /// A write failed. The driver first hands over what can still be read: the peer's Close frame
    /// may be among it.
    pub fn handle_write_failed(&mut self, now: Duration, detail: Detail) {
        let cause = Cause::WriteFailed;
        let now = self.own_time(now);
        self.note_end(now, InputEnd::Lost { cause, detail });
    }

    fn note_end(&mut self, now: Nanos, end: InputEnd) {
        let parts = &mut self.parts;
        if parts.state == State::Closed {
            return;
        }
        // An EOF leaves our direction open, so a loss may still follow.
        let replaces = match parts.input_end.as_deref() {
            None => true,
            Some(InputEnd::Eof) => matches!(end, InputEnd::Lost { .. }),
            Some(InputEnd::Lost { .. }) => false,
        };
        if replaces {
            parts.input_end = Some(Box::new(end));
        }
        if self.is_lost() {
            self.cut_output();
        }
        if self.has_pending_input() {
            self.parts.deaf_since = Some(now);
        } else {
            self.apply_end(now);
        }
    }

    /// What is queued cannot leave any more.
    fn cut_output(&mut self) {
        let cut = self.parts.output.cut();
        if cut > 0 {
            let rare = self.parts.rare_mut();
            rare.unsent = rare.unsent.saturating_add(cut);
        }
        self.parts.forget_waiting_pong();
    }

    /// Once the input is used up: the end of the transport, then the report of the ending.
    pub(super) fn poll_end(&mut self, now: Nanos) -> Option<Event> {
        if self.parts.state != State::Closed && self.parts.input_end.is_some() {
            self.apply_end(now);
        }
        if self.parts.ending_reported {
            return None;
        }
        let ending = Arc::clone(self.parts.ending.as_ref()?);
        self.parts.ending_reported = true;
        Some(Event::Ended(ending))
    }

    /// The end of the transport takes effect.
    pub(super) fn apply_end(&mut self, now: Nanos) {
        match self.parts.input_end.as_deref().cloned() {
            None => {}
            Some(InputEnd::Eof) => self.step(now, Incident::Eof),
            Some(InputEnd::Lost { cause, detail }) => {
                let finish = Finish::Reset;
                self.step(
                    now,
                    Incident::Lost {
                        cause,
                        detail,
                        finish,
                    },
                );
            }
        }
    }

    /// The budget of the closing handshake is over.
    pub(super) fn expire(&mut self, now: Nanos) {
        // The peer's Close frame may stand behind messages that nobody took.
        self.discard_pending(now);
        self.apply_end(now);
        self.step(now, Incident::Expired);
    }

    /// Decodes what nobody took, and counts its messages.
    pub(super) fn discard_pending(&mut self, now: Nanos) {
        while let Some(event) = self.poll_input(now) {
            self.is_discarded(&event);
        }
        self.listen(now);
    }

    /// The connection is over: because of its closing handshake if there is one, and else because
    /// of `cause`.
    pub(super) fn end(&mut self, now: Nanos, cause: Cause, detail: Detail, finish: Finish) {
        match self.parts.closing.as_deref() {
            Some(closing) => {
                let (cause, detail) = (closing.cause, closing.detail.clone());
                let finish = closing.finish(finish);
                self.record(now, cause, detail, finish);
            }
            None => self.record(now, cause, detail, finish),
        }
    }

    /// Writes the one record, and gives everything else back.
    fn record(&mut self, now: Nanos, cause: Cause, detail: Detail, finish: Finish) {
        let parts = &mut self.parts;
        if parts.ending.is_some() {
            return;
        }
        let closing = parts.closing.as_deref();
        let in_frame = parts.intake.as_ref().is_some_and(Intake::is_inside_frame);
        let mut ending = Ending::never_opened(cause, detail);
        ending.finish = finish;
        ending.initiator = closing.map(|closing| closing.initiator);
        ending.sent = closing.and_then(sent_frame);
        ending.received = closing.and_then(|closing| closing.received);
        ending.crossed = closing.is_some_and(|closing| closing.crossed);
        ending.closed_at = closing.and_then(|closing| closing.closed_at.clone());
        ending.open_for = now.saturating_sub(parts.opened).into();
        ending.idle_for = now.saturating_sub(parts.liveness.received().into()).into();
        ending.in_frame = in_frame;
        ending.discarded = parts.discarded();
        self.cut_output();
        // Nothing is left that reports these as queued.
        ending.unsent = match &mut self.parts.rare {
            None => 0,
            Some(rare) => std::mem::take(&mut rare.unsent),
        };
        self.parts.ending = Some(Arc::new(ending));
        self.discard_input();
    }
}

/// Our Close frame, if it left to its last byte.
fn sent_frame(closing: &ClosingHandshake) -> Option<CloseFrame> {
    closing.written.then_some(closing.sent)
}
