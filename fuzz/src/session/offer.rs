//! Bytes out of the driver's own buffer.

use bytes::BytesMut;

use super::Session;

/// How many pieces of one input are offered, at most: each check copies the message so far.
const MOST_OFFERS: usize = 64;

impl Session {
    /// Passes `input` on as a driver does that offers first and polls to the end.
    pub(super) fn offer_or_hand_over(&mut self, input: &[u8], length: usize) {
        let length = length.max(input.len().div_ceil(MOST_OFFERS));
        for piece in input.chunks(length) {
            if !self.offer(piece) {
                self.hand_over(piece);
                self.poll_all();
            }
        }
    }

    /// Whether the connection takes `piece` as payload. Then it is as if it had been handed over.
    fn offer(&mut self, piece: &[u8]) -> bool {
        let before = self.connection.export();
        let taken = self.connection.handle_payload(self.now, piece);
        if self.tampered {
            return taken;
        }
        if !taken {
            assert_eq!(self.connection.export(), before, "refused");
            return false;
        }
        let before = before.expect("taken, so not closed");
        let mut other = self.import(&before).expect("it was exported");
        other.handle_input(self.now, BytesMut::from(piece));
        assert_eq!(other.poll_event(self.now), None);
        assert_eq!(self.connection.export(), other.export(), "taken");
        assert_eq!(self.connection.poll_event(self.now), None);
        true
    }
}
