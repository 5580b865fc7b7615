//! Whether a snapshot describes a connection that can be.

use crate::closing::ClosingHandshake;
use crate::ending::InputEnd;
use crate::error::SnapshotError;
use crate::frame::CONTROL_MAX_BYTES;
use crate::message::compressed_allowance;
use crate::snapshot::Snapshot;
use crate::state::State;

impl Snapshot {
    /// Whether the parts fit each other, as far as nothing else checks it.
    pub(crate) fn is_consistent(&self) -> bool {
        let closing_fits = match (self.state, &self.closing) {
            (State::Open, None) => self.receive.is_some() && !self.write_shut,
            (State::Closing, Some(closing)) => self.is_consistent_with(closing),
            (State::Open | State::Closing | State::Connecting | State::Closed, _) => false,
        };
        let is_deaf = self.paused || !self.input.is_empty();
        // No connection writes so much; counting on from here cannot overflow.
        let counts = self.output.written <= u64::MAX / 2;
        let pong = self.waiting_pong.as_ref().map_or(0, Vec::len);
        // A broken transport has cut the queue, and nothing is queued after that.
        let queue_fits =
            !self.is_lost() || (self.output.unwritten.is_empty() && self.waiting_pong.is_none());
        closing_fits
            && counts
            && queue_fits
            && is_deaf == self.deaf_since.is_some()
            && pong <= CONTROL_MAX_BYTES
            && (self.receive.is_some() || (self.input.is_empty() && self.compression.is_none()))
    }

    /// Whether the closing handshake fits what was read, what is queued, and what was shut down.
    fn is_consistent_with(&self, closing: &ClosingHandshake) -> bool {
        // Nothing follows our Close frame, so it was written exactly if nothing is queued, unless
        // a broken transport has cut the queue.
        let output_fits = match self.output.unwritten.is_empty() {
            true => closing.written || self.is_lost(),
            false => !closing.written,
        };
        // After a Close frame and after a failure, input is thrown away, and only then.
        let discards = closing.received.is_some() || closing.failed;
        output_fits
            && discards == self.receive.is_none()
            && closing.written == closing.written_at.is_some()
            // With both, the connection would be over.
            && !(closing.written && closing.eof)
            && (!self.write_shut || closing.wants_shutdown_write(self.role))
    }

    fn is_lost(&self) -> bool {
        matches!(self.input_end, Some(InputEnd::Lost { .. }))
    }

    /// Whether the unfinished message stays within `limit`, as its headers were found to do when
    /// they arrived.
    pub(crate) fn check_limit(&self, limit: usize) -> Result<(), SnapshotError> {
        let Some(receive) = &self.receive else {
            return Ok(());
        };
        let Some(message) = &receive.message else {
            return Ok(());
        };
        let frame = receive.decoder.frame.as_ref();
        let missing = frame
            .filter(|frame| !frame.header.opcode.is_control())
            .map_or(0, |frame| frame.remaining);
        let received = match &self.compression {
            Some(compression) if message.compressed => compression.unfinished.len(),
            Some(_) | None => message.received.len(),
        };
        let allowed = match message.compressed {
            true => (limit as u64).saturating_add(compressed_allowance(limit)),
            false => limit as u64,
        };
        let got = match message.compressed {
            // What a compressed message grows to is counted while it is inflated.
            true => missing.max(received as u64),
            false => missing.saturating_add(received as u64),
        };
        match got > allowed {
            true => Err(SnapshotError::OverLimit { got, allowed }),
            false => Ok(()),
        }
    }
}
