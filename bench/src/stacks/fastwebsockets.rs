//! fastwebsockets, with its collector of fragments, so that whole messages are delivered.

use anyhow::{Result, bail};
use fastwebsockets::{FragmentCollector, Frame, OpCode, Role, WebSocket};

use crate::case::{self, Case};
use crate::stacks::{expect_kind, observe, observe_text_bytes};
use crate::wire::{Wire, block_on};

pub(super) fn echo(wire: Wire, case: &Case, count: usize) -> Result<Wire> {
    let role = match case.role {
        case::Role::Server => Role::Server,
        case::Role::Client => Role::Client,
    };
    let mut socket = WebSocket::after_handshake(wire, role);
    socket.set_max_message_size(Case::LIMIT);
    let mut socket = FragmentCollector::new(socket);
    block_on(async {
        for _ in 0..count {
            let frame = socket.read_frame().await?;
            match frame.opcode {
                OpCode::Text => {
                    expect_kind(case, true)?;
                    observe_text_bytes(case, &frame.payload)?;
                }
                OpCode::Binary => {
                    expect_kind(case, false)?;
                    observe(&frame.payload);
                }
                other => bail!("unexpected frame: {other:?}"),
            }
            // It writes each frame at once, in one call; there is no way to collect them.
            socket
                .write_frame(Frame::new(true, frame.opcode, None, frame.payload))
                .await?;
        }
        Ok(socket.into_inner())
    })
}
