//! Plain bytes: one wait for many sockets, then one read and one write for each that is ready.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};

use anyhow::Result;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

const READ_BYTES: usize = 64 * 1024;
const EVENTS: usize = 1024;
const LISTENER: u64 = u64::MAX;

/// One socket, and what the one that it belongs to has not taken yet.
struct End {
    stream: TcpStream,
    other: u64,
    /// Bytes for this socket.
    unsent: Vec<u8>,
}

type Ends = HashMap<u64, End>;

/// Relays between `port` and `backend` until the process is ended.
pub(crate) fn run(port: u16, backend: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    let own = EventData::new_u64(LISTENER);
    epoll::add(&epoll, &listener, own, EventFlags::IN)?;
    let mut ends = HashMap::new();
    let mut events = Vec::with_capacity(EVENTS);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        events.clear();
        epoll::wait(&epoll, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in &events {
            let key = event.data.u64();
            if key == LISTENER {
                accept(&listener, backend, &epoll, &mut ends)?;
            } else if !relay(&epoll, &mut ends, key, &mut buffer)?
                && let Some(end) = ends.remove(&key)
            {
                ends.remove(&end.other);
            }
        }
    }
}

fn accept(listener: &TcpListener, backend: u16, epoll: &OwnedFd, ends: &mut Ends) -> Result<()> {
    loop {
        let client = match listener.accept() {
            Ok((client, _)) => client,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let backend = TcpStream::connect((Ipv4Addr::LOCALHOST, backend))?;
        let (one, two) = (key(&client), key(&backend));
        for (stream, own, other) in [(client, one, two), (backend, two, one)] {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let (data, unsent) = (EventData::new_u64(own), Vec::new());
            epoll::add(epoll, &stream, data, EventFlags::IN)?;
            let end = End {
                stream,
                other,
                unsent,
            };
            ends.insert(own, end);
        }
    }
}

fn key(stream: &TcpStream) -> u64 {
    u64::from(stream.as_raw_fd().unsigned_abs())
}

/// Reads once from one socket and writes to the other. Returns whether both are still open.
fn relay(epoll: &OwnedFd, ends: &mut Ends, key: u64, buffer: &mut [u8]) -> Result<bool> {
    let Some(end) = ends.get_mut(&key) else {
        return Ok(true);
    };
    let other = end.other;
    if !end.unsent.is_empty() {
        let count = count(end.stream.write(&end.unsent))?;
        end.unsent.drain(..count.unwrap_or(0));
        if end.unsent.is_empty() {
            listen(epoll, ends, key, EventFlags::IN)?;
            listen(epoll, ends, other, EventFlags::IN)?;
        }
        return Ok(true);
    }
    let read = match count(end.stream.read(buffer))? {
        None => return Ok(true),
        Some(0) => return Ok(false),
        Some(read) => read,
    };
    let Some(to) = ends.get_mut(&other) else {
        return Ok(false);
    };
    let written = count(to.stream.write(&buffer[..read]))?.unwrap_or(0);
    if written < read {
        to.unsent.extend_from_slice(&buffer[written..read]);
        listen(epoll, ends, other, EventFlags::OUT)?;
        listen(epoll, ends, key, EventFlags::empty())?;
    }
    Ok(true)
}

fn listen(epoll: &OwnedFd, ends: &Ends, key: u64, flags: EventFlags) -> Result<()> {
    if let Some(end) = ends.get(&key) {
        epoll::modify(epoll, &end.stream, EventData::new_u64(key), flags)?;
    }
    Ok(())
}

/// How many bytes; none if it would block. A reset is an end.
fn count(result: std::io::Result<usize>) -> Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(Some(0)),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Some(0)),
        Err(error) => Err(error.into()),
    }
}
