//! [`Inbox`]: messages that were read while the application did not ask for any.

use std::collections::VecDeque;

use revoir_proto::Message;

use crate::driver::table::Room;

/// Read-ahead stops at so many messages.
const MAX_MESSAGES: usize = 32;

/// Read-ahead stops at so many bytes of payload.
const MAX_BYTES: usize = 64 * 1024;

/// What was read before the transport broke is kept up to so many bytes of payload.
const MAX_REST_BYTES: usize = 1024 * 1024;

/// Messages that wait for the application: at most 32, and at most 64 KiB and one message. Empty,
/// it owns nothing.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    waiting: Option<Box<Backlog>>,
}

#[derive(Debug, Default)]
struct Backlog {
    messages: VecDeque<Message>,
    bytes: usize,
}

impl Backlog {
    fn is_full(&self) -> bool {
        self.messages.len() >= MAX_MESSAGES || self.bytes >= MAX_BYTES
    }
}

impl Inbox {
    #[inline]
    pub(crate) fn room(&self) -> Room {
        match &self.waiting {
            None => Room::Empty,
            Some(waiting) if waiting.is_full() => Room::Full,
            Some(_) => Room::Some,
        }
    }

    /// Whether it takes one more message of a connection that is broken: then the number does not
    /// count, because all of them were read already.
    pub(crate) fn has_room_for_the_rest(&self) -> bool {
        let waiting = self.waiting.as_ref();
        waiting.is_none_or(|waiting| waiting.bytes < MAX_REST_BYTES)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_none()
    }

    pub(crate) fn push(&mut self, message: Message) {
        let waiting = self.waiting.get_or_insert_default();
        waiting.bytes += message.as_bytes().len();
        waiting.messages.push_back(message);
    }

    pub(crate) fn pop(&mut self) -> Option<Message> {
        let waiting = self.waiting.as_mut()?;
        let message = waiting.messages.pop_front()?;
        waiting.bytes -= message.as_bytes().len();
        if waiting.messages.is_empty() {
            self.waiting = None;
        }
        Some(message)
    }

    /// Throws the messages away, and returns how many there were.
    pub(crate) fn clear(&mut self) -> u64 {
        let waiting = self.waiting.take();
        waiting.map_or(0, |waiting| waiting.messages.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn of(length: usize) -> Message {
        Message::Binary(Bytes::from(vec![0; length]))
    }

    #[test]
    fn it_is_full_after_32_messages_or_64_kib() {
        let mut many = Inbox::default();
        for _ in 0..32 {
            assert_ne!(many.room(), Room::Full);
            many.push(of(0));
        }
        assert_eq!(many.room(), Room::Full);
        assert_eq!(many.clear(), 32);

        let mut large = Inbox::default();
        large.push(of(MAX_BYTES - 1));
        assert_eq!(large.room(), Room::Some);
        large.push(of(1));
        assert_eq!(large.room(), Room::Full);
        assert_eq!(large.pop(), Some(of(MAX_BYTES - 1)));
        assert_eq!(large.room(), Room::Some);
        assert_eq!(large.pop(), Some(of(1)));
        assert!(large.is_empty() && large.pop().is_none());
    }
}
