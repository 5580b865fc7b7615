//! The peers, at their defaults.

use anyhow::{Error, Result};
use fastwebsockets::{FragmentCollector, OpCode};
use tokio_tungstenite::tungstenite::{self, protocol};

use crate::stacks::handshake::serve;
use crate::stacks::pump::{next, pump};

pub(super) fn tungstenite(listening: &mut dyn FnMut(u16) -> Result<()>) -> Result<()> {
    serve(listening, |stream| async {
        let role = protocol::Role::Server;
        let socket = tokio_tungstenite::WebSocketStream::from_raw_socket(stream, role, None);
        pump(socket.await, next, tungstenite::Message::is_binary).await
    })
}

/// As in its own example of an echo server: whole messages, and without tokio's budget.
pub(super) fn fastwebsockets(listening: &mut dyn FnMut(u16) -> Result<()>) -> Result<()> {
    serve(listening, |stream| {
        tokio::task::unconstrained(async move {
            let role = fastwebsockets::Role::Server;
            let socket = fastwebsockets::WebSocket::after_handshake(stream, role);
            let mut socket = FragmentCollector::new(socket);
            loop {
                let frame = socket.read_frame().await?;
                match frame.opcode {
                    OpCode::Close => return Ok(()),
                    OpCode::Binary => socket.write_frame(frame).await?,
                    _ => {}
                }
            }
        })
    })
}

pub(super) fn tokio_websockets(listening: &mut dyn FnMut(u16) -> Result<()>) -> Result<()> {
    serve(listening, |stream| {
        let socket = tokio_websockets::ServerBuilder::new().serve(stream);
        pump(socket, next, tokio_websockets::Message::is_binary)
    })
}

pub(super) fn sockudo(listening: &mut dyn FnMut(u16) -> Result<()>) -> Result<()> {
    sockudo_ws::init_clock();
    serve(listening, |stream| {
        let config = sockudo_ws::Config::default();
        let socket = sockudo_ws::WebSocketStream::server(stream, config);
        pump(socket, next, sockudo_ws::Message::is_binary)
    })
}

/// Not through its `Stream`, which hides errors, but through the function behind it.
pub(super) fn yawc(listening: &mut dyn FnMut(u16) -> Result<()>) -> Result<()> {
    serve(listening, |stream| async {
        let options = yawc::Options::default();
        let socket = yawc::WebSocket::from_stream(stream, yawc::Role::Server, options)?;
        let next = |socket: &mut yawc::WebSocket<_>, cx: &mut std::task::Context<'_>| {
            let frame = socket.poll_next_frame(cx);
            frame.map(|frame| Some(frame.map_err(Error::from)))
        };
        let is_binary = |frame: &yawc::Frame| frame.opcode() == yawc::OpCode::Binary;
        pump(socket, next, is_binary).await
    })
}
