//! Snapshots that describe a connection that may not be possible.

use std::time::Duration;

use revoir_proto::{PingSnapshot, Snapshot, State};

/// Changes one field of a snapshot to something that may not be possible.
pub(super) fn tamper(snapshot: &mut Snapshot, field: u8, value: u64) {
    let bytes = value.to_le_bytes();
    let time = Duration::from_millis(value);
    match field % 24 {
        0 => snapshot.output.written = value,
        1 => snapshot.output.unwritten.extend(bytes),
        2 => snapshot.output.progress = time,
        3 => snapshot.input.extend(bytes),
        4 => snapshot.receive = None,
        5 => snapshot.compression = None,
        6 => snapshot.waiting_pong = Some(vec![7; value as usize % 300]),
        7 => snapshot.liveness.received = time,
        8 => snapshot.liveness.ping = PingSnapshot::Awaited { since: time },
        9 => snapshot.opened = Duration::MAX,
        10 => snapshot.closing = None,
        11 => {
            snapshot.state = [
                State::Connecting,
                State::Open,
                State::Closing,
                State::Closed,
            ][value as usize % 4]
        }
        12 => snapshot.role = snapshot.role.peer(),
        13 => snapshot.discarded = value,
        14 => snapshot.rebase(time, Duration::from_millis(value.rotate_left(32))),
        15 => {
            snapshot.liveness.ping = PingSnapshot::Queued {
                id: [1; 4],
                end: value,
            }
        }
        _ => tamper_receive(snapshot, field, value),
    }
}

fn tamper_receive(snapshot: &mut Snapshot, field: u8, value: u64) {
    let bytes = value.to_le_bytes();
    if let Some(compression) = &mut snapshot.compression {
        match field % 5 {
            0 => compression.unfinished.extend(bytes),
            1 => compression
                .window
                .extend(bytes.repeat(value as usize % 8_000)),
            2 => compression.server_max_window_bits = bytes[0],
            3 => compression.client_max_window_bits = bytes[0],
            _ => compression.level = bytes[0],
        }
    }
    let Some(receive) = &mut snapshot.receive else {
        return;
    };
    match field % 8 {
        0 => receive
            .decoder
            .head
            .extend(&bytes[..usize::from(bytes[7] % 8)]),
        1 => receive.decoder.control.extend(bytes),
        2 => receive.message = None,
        3 => {
            if let Some(frame) = &mut receive.decoder.frame {
                frame.remaining = value;
            }
        }
        4 => {
            if let Some(frame) = &mut receive.decoder.frame {
                frame.header.length = value;
            }
        }
        5 => {
            if let Some(message) = &mut receive.message {
                message.received.extend(bytes);
            }
        }
        6 => {
            if let Some(message) = &mut receive.message {
                message.compressed = !message.compressed;
            }
        }
        _ => {
            if let Some(closing) = &mut snapshot.closing {
                closing.written = !closing.written;
                closing.deadline = Duration::from_millis(value);
            }
        }
    }
}
