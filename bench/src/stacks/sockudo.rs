//! sockudo-ws: its stream. Its timers are off, so that it needs no runtime and does less.

use anyhow::Result;
use sockudo_ws::{Config, Message, Role, WebSocketStream};

use crate::case::{self, Case};
use crate::stacks::pump::pump;
use crate::stacks::sockudo_protocol::take;
use crate::wire::Wire;

pub(super) fn echo(mut wire: Wire, case: &Case, count: usize) -> Result<Wire> {
    let role = match case.role {
        case::Role::Server => Role::Server,
        case::Role::Client => Role::Client,
    };
    let config = Config {
        max_message_size: Case::LIMIT,
        max_frame_size: Case::LIMIT,
        auto_ping: false,
        idle_timeout: 0,
        ..Config::default()
    };
    let mut socket = WebSocketStream::from_raw(&mut wire, role, config);
    pump(&mut socket, count, |message: &Message| take(message, case))?;
    drop(socket);
    Ok(wire)
}
