//! The load: many connections on one thread, and every echo compared byte by byte.

mod connection;
mod script;

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use crate::load::connection::{Connection, handshake};
use crate::load::script::Script;

/// No server takes so long for one echo.
const PATIENCE: Timespec = Timespec {
    tv_sec: 5,
    tv_nsec: 0,
};

const EVENTS: usize = 1024;

/// More than one message of the largest size.
const READ_BYTES: usize = 128 * 1024;

/// Open connections, with their messages.
#[derive(Debug)]
pub struct Load {
    epoll: OwnedFd,
    connections: Vec<Connection>,
    script: Script,
    window: usize,
    buffer: Vec<u8>,
}

/// What flowed, and in which time.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Messages that were sent and came back.
    pub messages: u64,
    /// From the first message to the last echo.
    pub time: Duration,
}

impl Load {
    /// Opens `connections`, by a WebSocket handshake or for plain bytes. Each has at most `window`
    /// messages of `size` bytes on their way.
    ///
    /// # Errors
    ///
    /// If the server refuses one.
    pub fn open(
        server: SocketAddr,
        is_websocket: bool,
        connections: usize,
        window: usize,
        size: usize,
    ) -> Result<Self> {
        let script = Script::new(is_websocket, size, window, READ_BYTES);
        Self::open_for(server, is_websocket, connections, window, script)
    }

    /// The same over WebSocket with pongs of the subprotocol `graphql-transport-ws`, as binary messages
    /// too, since a relay does not care.
    ///
    /// # Errors
    ///
    /// If the server refuses one.
    pub fn open_pongs(
        server: SocketAddr,
        connections: usize,
        window: usize,
        size: usize,
    ) -> Result<Self> {
        let script = Script::pongs(size, window, READ_BYTES);
        Self::open_for(server, true, connections, window, script)
    }

    fn open_for(
        server: SocketAddr,
        is_websocket: bool,
        connections: usize,
        window: usize,
        script: Script,
    ) -> Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut open = Vec::with_capacity(connections);
        for number in 0..connections {
            let stream = handshake(server, is_websocket)?;
            epoll::add(
                &epoll,
                &stream,
                EventData::new_u64(number as u64),
                EventFlags::IN | EventFlags::OUT | EventFlags::ET,
            )?;
            open.push(Connection::new(stream, number, &script));
        }
        Ok(Self {
            epoll,
            connections: open,
            script,
            window,
            buffer: vec![0; READ_BYTES],
        })
    }

    /// Sends for `duration`, keeping the window full, and then waits for the last echoes.
    ///
    /// # Errors
    ///
    /// If an echo is wrong or missing.
    pub fn run(&mut self, duration: Duration) -> Result<Flow> {
        let start = Instant::now();
        for connection in &mut self.connections {
            connection.send(&self.script, self.window)?;
        }
        let mut on_their_way = self.window * self.connections.len();
        let mut events = Vec::with_capacity(EVENTS);
        let mut messages = 0;
        let mut is_over = false;
        while on_their_way > 0 {
            events.clear();
            let room = rustix::buffer::spare_capacity(&mut events);
            if epoll::wait(&self.epoll, room, Some(&PATIENCE))? == 0 {
                bail!("{on_their_way} echoes are missing");
            }
            is_over = is_over || start.elapsed() >= duration;
            for event in &events {
                let Some(connection) = self.connections.get_mut(event.data.u64() as usize) else {
                    continue;
                };
                connection.send_rest(&self.script)?;
                let echoed = connection.receive(&self.script, &mut self.buffer)?;
                messages += echoed as u64;
                if is_over {
                    on_their_way -= echoed;
                } else if echoed > 0 {
                    connection.send(&self.script, echoed)?;
                }
            }
        }
        Ok(Flow {
            messages,
            time: start.elapsed(),
        })
    }
}
