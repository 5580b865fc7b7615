//! No WebSocket at all: what was read is written. The transport and the loop alone.

use anyhow::Result;
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::case::{Case, Role};
use crate::stacks::revoir::READ_CAPACITY;
use crate::wire::{Wire, block_on};

pub(super) fn echo(mut wire: Wire, case: &Case, count: usize) -> Result<Wire> {
    block_on(async {
        let header = match case.size {
            0..=125 => 2,
            126..=0xFFFF => 4,
            _ => 10,
        };
        let masking_key = if case.role == Role::Server { 4 } else { 0 };
        let mut left = count * (header + masking_key + case.size);
        let mut buffer = BytesMut::with_capacity(READ_CAPACITY);
        while left > 0 {
            let read = wire.read_buf(&mut buffer).await?.min(left);
            left -= read;
            wire.write_all(&buffer[..read]).await?;
            buffer.advance(buffer.len());
            buffer.clear();
            buffer.reserve(READ_CAPACITY);
        }
        Ok(wire)
    })
}
