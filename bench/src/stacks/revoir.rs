//! `revoir-proto`, driven as its contract says.

use std::hint::black_box;
use std::io::IoSlice;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use bytes::BytesMut;
use revoir_proto::{Config, Connection, Event, Message, Random, Role};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::case::{self, Case, Kind};
use crate::stacks::{expect_kind, observe};
use crate::wire::{Wire, block_on};

/// The capacity of the driver's read buffer: room for two of the longest messages of the table, with
/// the longest header.
pub(super) const READ_CAPACITY: usize = 2 * (64 * 1024 + 14);

/// With less room than this in the buffer, it is not read into.
pub(super) const READ_LEAST: usize = 16 * 1024;

/// How many slices one vectored write takes.
const SLICES: usize = 16;

/// While fewer bytes than this are queued, they lie in one piece, as a rule.
const ONE_PIECE: usize = 4096;

/// The thread-local generator, as the peers use it.
#[derive(Debug)]
struct ThreadRandom;

impl Random for ThreadRandom {
    fn next_u32(&mut self) -> u32 {
        rand::random()
    }
}

pub(super) fn echo(mut wire: Wire, case: &Case, count: usize) -> Result<Wire> {
    let role = match case.role {
        case::Role::Server => Role::Server,
        case::Role::Client => Role::Client,
    };
    let config = Config::default();
    ensure!(
        config.limits.message == Case::LIMIT,
        "the default limit has changed"
    );
    let epoch = Instant::now();
    let mut connection = Connection::new(Duration::ZERO, role, Arc::new(config), ThreadRandom);
    let mut buffer = BytesMut::with_capacity(READ_CAPACITY);
    // All connections of a thread queue their output in the same memory.
    let mut output = Vec::new();
    let mut left = count;
    while left > 0 {
        if let Some(mut room) = connection.poll_receive() {
            block_on(wire.read_buf(&mut room))?;
        } else {
            let into = connection.lend_input(&mut buffer);
            if into.capacity() - into.len() < READ_LEAST {
                into.reserve(READ_CAPACITY);
            }
            block_on(wire.read_buf(into))?;
        }
        let now = uncounted_clock(epoch);
        match buffer.is_empty() {
            true => connection.received(now, &mut Vec::new()),
            false => connection.handle_input(now, buffer.split()),
        }
        while left > 0 && connection.has_pending_input() {
            connection.lend_buffer(&mut output);
            while left > 0
                && connection.has_pending_input()
                && connection.is_writable()
                && let Some(event) = connection.poll_event(now)
            {
                send_back(&mut connection, now, event, case)?;
                left -= 1;
            }
            transmit(&mut connection, now, &mut wire)?;
            connection.return_buffer(&mut output);
            black_box(connection.wants_shutdown_write());
            if buffer.capacity() < READ_CAPACITY / 2 {
                // Without a copy, if nobody holds a message any more.
                let _reclaimed = buffer.try_reclaim(READ_CAPACITY);
            }
        }
        black_box(connection.poll_timeout());
    }
    Ok(wire)
}

/// Time is an input of the core. valgrind has no vDSO, so its clock is not the real one anyway.
#[inline(never)]
fn uncounted_clock(epoch: Instant) -> Duration {
    epoch.elapsed()
}

fn send_back(
    connection: &mut Connection<ThreadRandom>,
    now: Duration,
    event: Event,
    case: &Case,
) -> Result<()> {
    match event {
        Event::Message(Message::Text(text)) => {
            expect_kind(case, true)?;
            if case.kind == Kind::TextAsStr {
                black_box(text.as_str());
            } else {
                observe(text.as_bytes());
            }
            connection.send_text(now, text)?;
        }
        Event::Message(Message::Binary(bytes)) => {
            expect_kind(case, false)?;
            observe(&bytes);
            connection.send_binary(now, bytes)?;
        }
        other => bail!("unexpected event: {other:?}"),
    }
    Ok(())
}

fn transmit(
    connection: &mut Connection<ThreadRandom>,
    now: Duration,
    wire: &mut Wire,
) -> Result<()> {
    loop {
        let written = match connection.queued_bytes() {
            0 => return Ok(()),
            1..ONE_PIECE => write::<1>(connection, wire)?,
            _ => write::<SLICES>(connection, wire)?,
        };
        connection.transmitted(now, written);
    }
}

fn write<const SLICES: usize>(
    connection: &Connection<ThreadRandom>,
    wire: &mut Wire,
) -> Result<usize> {
    let mut slices = [IoSlice::new(&[]); SLICES];
    let used = connection.poll_transmit(&mut slices);
    Ok(block_on(wire.write_vectored(&slices[..used]))?)
}
