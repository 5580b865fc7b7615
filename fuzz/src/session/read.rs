//! Bytes read to where the connection says.

use bytes::{BufMut, BytesMut};

use super::Session;

/// How many pieces of one input are read, at most: each check copies the message so far.
const MOST_READS: usize = 64;

impl Session {
    /// Passes `input` on as a driver does that reads up to `length` bytes at once.
    pub(super) fn read(&mut self, input: &[u8], length: usize) {
        let pieces = input.len().div_ceil(MOST_READS);
        let length = length.clamp(pieces, input.len());
        let mut rest = input;
        while !rest.is_empty() {
            let count = self.read_once(&rest[..rest.len().min(length)], length);
            rest = &rest[count..];
        }
    }

    /// Reads as much of `bytes` as there is room for, and returns how much that was. What needs no
    /// event is then as if it had been handed over. A buffer has room for twice `length`.
    fn read_once(&mut self, bytes: &[u8], length: usize) -> usize {
        let before = self.connection.export();
        let (mut buffer, mut count) = (Vec::new(), bytes.len());
        if let Some(mut room) = self.connection.poll_receive() {
            assert!(room.remaining_mut() > 0, "a read without room");
            count = count.min(room.remaining_mut());
            room.put_slice(&bytes[..count]);
        } else {
            let mut no_buffer = BytesMut::new();
            let begun = self.connection.lend_input(&mut no_buffer);
            let room = begun.capacity() - begun.len();
            if room > 0 {
                count = count.min(room);
                begun.extend_from_slice(&bytes[..count]);
            } else {
                buffer.reserve_exact(2 * length);
                buffer.extend_from_slice(bytes);
            }
        }
        self.connection.received(self.now, &mut buffer);
        assert!(buffer.is_empty());
        if self.tampered || self.connection.has_pending_input() {
            self.poll_all();
        } else if let Ok(before) = before {
            let mut other = self.import(&before).expect("it was exported");
            other.handle_input(self.now, BytesMut::from(&bytes[..count]));
            while other.has_pending_input() {
                assert_eq!(other.poll_event(self.now), None);
            }
            if self.connection.export().is_ok() {
                assert_eq!(self.connection.export(), other.export(), "taken");
            }
        }
        count
    }
}
