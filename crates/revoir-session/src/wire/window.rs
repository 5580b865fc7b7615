//! [`Window`]: how much is kept.

use crate::wire::Violation;
use crate::wire::field;
use crate::wire::number::put_number_field;

/// How much a sender keeps at most of messages that are not acknowledged. The other end
/// acknowledges when a quarter of it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// So many messages, at least 1.
    pub messages: u64,
    /// So many bytes of their payloads. A message that is longer is sent when nothing else is kept.
    pub bytes: u64,
}

impl Window {
    /// What is kept if nothing else is said: 1,024 messages and 256 KiB.
    pub const DEFAULT: Self = Self {
        messages: 1024,
        bytes: 256 * 1024,
    };

    pub(super) fn put(self, out: &mut Vec<u8>) {
        put_number_field(out, field::WINDOW_MESSAGES, self.messages);
        put_number_field(out, field::WINDOW_BYTES, self.bytes);
    }

    pub(super) const fn read(messages: Option<u64>, bytes: Option<u64>) -> Result<Self, Violation> {
        match (messages, bytes) {
            (Some(0), Some(_)) => Err(Violation::BadValue),
            (Some(messages), Some(bytes)) => Ok(Self { messages, bytes }),
            _ => Err(Violation::MissingField),
        }
    }
}

impl Default for Window {
    fn default() -> Self {
        Self::DEFAULT
    }
}
