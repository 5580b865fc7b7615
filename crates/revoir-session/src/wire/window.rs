//! [`Window`]: how much is kept.

use crate::wire::Violation;
use crate::wire::field;
use crate::wire::number::{Reader, put_number_field};

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

    /// How many messages, as the value of a field.
    pub(super) fn messages(value: Reader<'_>) -> Result<u64, Violation> {
        match value.only_number()? {
            0 => Err(Violation::BadValue),
            messages => Ok(messages),
        }
    }

    pub(super) const fn read(messages: Option<u64>, bytes: Option<u64>) -> Result<Self, Violation> {
        match (messages, bytes) {
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
