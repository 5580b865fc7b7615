//! [`push_message`]: a message on its way into the core.

use std::time::Duration;

use revoir_proto::{Connection, Message, UsageError};

use crate::entropy::Entropy;

/// Queues a message of either kind.
pub(crate) fn push_message(
    core: &mut Connection<Entropy>,
    now: Duration,
    message: Message,
) -> Result<(), UsageError> {
    match message {
        Message::Text(text) => core.send_text(now, text),
        Message::Binary(payload) => core.send_binary(now, payload),
    }
}
