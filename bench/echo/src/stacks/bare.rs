//! Plain bytes: one wait for many sockets, then one read and one write for each that is ready.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};

use anyhow::Result;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

const READ_BYTES: usize = 128 * 1024;
const EVENTS: usize = 1024;
const LISTENER: u64 = u64::MAX;

struct Connection {
    stream: TcpStream,
    /// What the socket did not take yet.
    unsent: Vec<u8>,
}

pub(super) fn run(listening: &mut dyn FnMut(u16) -> Result<()>) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(
        &epoll,
        &listener,
        EventData::new_u64(LISTENER),
        EventFlags::IN,
    )?;
    listening(listener.local_addr()?.port())?;
    let mut connections = HashMap::new();
    let mut events = Vec::with_capacity(EVENTS);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        events.clear();
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in &events {
            let key = event.data.u64();
            if key == LISTENER {
                accept(&listener, &epoll, &mut connections)?;
                continue;
            }
            if let Some(connection) = connections.get_mut(&key)
                && !connection.echo(&epoll, key, &mut buffer)?
            {
                connections.remove(&key);
            }
        }
    }
}

fn accept(
    listener: &TcpListener,
    epoll: &OwnedFd,
    connections: &mut HashMap<u64, Connection>,
) -> Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let key = u64::from(stream.as_raw_fd().unsigned_abs());
        epoll::add(epoll, &stream, EventData::new_u64(key), EventFlags::IN)?;
        let unsent = Vec::new();
        connections.insert(key, Connection { stream, unsent });
    }
}

impl Connection {
    /// Reads once and writes it back. Returns whether the connection is still open.
    fn echo(&mut self, epoll: &OwnedFd, key: u64, buffer: &mut [u8]) -> Result<bool> {
        if !self.unsent.is_empty() {
            let count = written(self.stream.write(&self.unsent))?;
            self.unsent.drain(..count);
            if self.unsent.is_empty() {
                epoll::modify(epoll, &self.stream, EventData::new_u64(key), EventFlags::IN)?;
            }
            return Ok(true);
        }
        let count = match self.stream.read(buffer) {
            Ok(0) => return Ok(false),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let sent = written(self.stream.write(&buffer[..count]))?;
        if sent < count {
            self.unsent.extend_from_slice(&buffer[sent..count]);
            epoll::modify(
                epoll,
                &self.stream,
                EventData::new_u64(key),
                EventFlags::OUT,
            )?;
        }
        Ok(true)
    }
}

/// How many bytes the socket took.
fn written(result: std::io::Result<usize>) -> Result<usize> {
    match result {
        Ok(count) => Ok(count),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        Err(error) => Err(error.into()),
    }
}
