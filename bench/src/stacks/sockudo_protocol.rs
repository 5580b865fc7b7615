//! sockudo-ws: its `Protocol`, which is a core without I/O like ours. It has no timers, no
//! keepalive and no output queue.

use anyhow::{Result, bail};
use bytes::BytesMut;
use sockudo_ws::protocol::Protocol;
use sockudo_ws::{Message, Role};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::case::{self, Case};
use crate::stacks::revoir::{READ_CAPACITY, READ_LEAST};
use crate::stacks::{expect_kind, observe, observe_text_bytes};
use crate::wire::{Wire, block_on};

pub(super) fn echo(mut wire: Wire, case: &Case, count: usize) -> Result<Wire> {
    let role = match case.role {
        case::Role::Server => Role::Server,
        case::Role::Client => Role::Client,
    };
    let mut protocol = Protocol::new(role, Case::LIMIT, Case::LIMIT);
    let mut input = BytesMut::with_capacity(READ_CAPACITY);
    let mut messages = Vec::new();
    let mut output = BytesMut::new();
    let mut left = count;
    while left > 0 {
        block_on(wire.read_buf(&mut input))?;
        protocol.process_into(&mut input, &mut messages)?;
        for message in messages.drain(..) {
            if left == 0 {
                break;
            }
            take(&message, case)?;
            protocol.encode_message(&message, &mut output)?;
            left -= 1;
        }
        if !output.is_empty() {
            block_on(wire.write_all(&output))?;
            output.clear();
        }
        if input.capacity() - input.len() < READ_LEAST {
            input.reserve(READ_CAPACITY - input.len());
        }
    }
    Ok(wire)
}

/// What the application does with a message.
pub(super) fn take(message: &Message, case: &Case) -> Result<()> {
    match message {
        Message::Text(text) => {
            expect_kind(case, true)?;
            observe_text_bytes(case, text)?;
        }
        Message::Binary(bytes) => {
            expect_kind(case, false)?;
            observe(bytes);
        }
        other => bail!("unexpected message: {other:?}"),
    }
    Ok(())
}
