//! tungstenite, over a transport that would block between portions.

use std::hint::black_box;
use std::io;

use anyhow::{Result, bail};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

use crate::case::{self, Case, Kind};
use crate::stacks::{expect_kind, observe};
use crate::wire::Wire;

pub(super) fn echo(mut wire: Wire, case: &Case, count: usize) -> Result<Wire> {
    let role = match case.role {
        case::Role::Server => Role::Server,
        case::Role::Client => Role::Client,
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(Case::LIMIT))
        .max_frame_size(Some(Case::LIMIT));
    let mut socket = WebSocket::from_raw_socket(&mut wire, role, Some(config));
    let mut left = count;
    while left > 0 {
        match socket.read() {
            Ok(message) => {
                take(&message, case)?;
                socket.write(message)?;
                left -= 1;
            }
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => socket.flush()?,
            Err(error) => return Err(error.into()),
        }
    }
    socket.flush()?;
    drop(socket);
    Ok(wire)
}

fn take(message: &Message, case: &Case) -> Result<()> {
    match message {
        Message::Text(text) => {
            expect_kind(case, true)?;
            if case.kind == Kind::TextAsStr {
                black_box(text.as_str());
            } else {
                observe(text.as_bytes());
            }
        }
        Message::Binary(bytes) => {
            expect_kind(case, false)?;
            observe(bytes);
        }
        other => bail!("unexpected message: {other:?}"),
    }
    Ok(())
}
