//! Arbitrary operations on arbitrary input.

use std::time::Duration;

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use revoir_proto::{
    Connection, Detail, Event, MessageKind, MessageSnapshot, PingSnapshot, Reason, Role, SendCode,
    Snapshot, State,
};

use crate::support::{CLOSE, Endpoint, frame};

/// What can be done to a connection.
#[derive(Clone, Debug)]
enum Operation {
    Bytes(Vec<u8>),
    Frame(u8, Vec<u8>),
    PollEvents(usize),
    Write(usize),
    Pass(u64),
    Timeout,
    SendText(String),
    SendBinary(Vec<u8>),
    SendPing(Vec<u8>),
    Close(u16),
    Pause,
    Resume,
    Move,
    Eof,
    Reset,
    TlsTruncated,
    WriteFailed,
    Abort,
}

/// A known opcode more often than not, with any flags.
fn first_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        Just(0x81),
        Just(0x82),
        Just(0x01),
        Just(0x00),
        Just(0x80),
        Just(0x88),
        Just(0x89),
        Just(0x8A),
        Just(0xC2),
        any::<u8>(),
    ]
}

/// Text and other bytes, of lengths on both sides of every form of the header but the longest.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => ".{0,60}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..140),
        1 => vec(Just(b'x'), 120..600),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let first = first_byte();
    prop_oneof![
        2 => vec(any::<u8>(), 0..40).prop_map(Operation::Bytes),
        8 => (first, vec(any::<u8>(), 0..140)).prop_map(|(f, p)| Operation::Frame(f, p)),
        6 => (0..5_usize).prop_map(Operation::PollEvents),
        6 => (0..300_usize).prop_map(Operation::Write),
        4 => (0..30_000_u64).prop_map(Operation::Pass),
        4 => Just(Operation::Timeout),
        3 => ".{0,20}".prop_map(Operation::SendText),
        3 => vec(any::<u8>(), 0..6_000).prop_map(Operation::SendBinary),
        2 => vec(any::<u8>(), 0..140).prop_map(Operation::SendPing),
        1 => (990..5_010_u16).prop_map(Operation::Close),
        1 => Just(Operation::Pause),
        1 => Just(Operation::Resume),
        3 => Just(Operation::Move),
        1 => prop_oneof![
            Just(Operation::Eof),
            Just(Operation::Reset),
            Just(Operation::TlsTruncated),
            Just(Operation::WriteFailed),
            Just(Operation::Abort),
        ],
    ]
}

/// Counts what may happen once.
#[derive(Default)]
struct Seen {
    wire: Vec<u8>,
    endings: usize,
    after_ending: usize,
}

impl Seen {
    fn event(&mut self, event: &Event) {
        if self.endings > 0 {
            self.after_ending += 1;
        }
        if matches!(event, Event::Ended(_)) {
            self.endings += 1;
        }
    }
}

fn perform(endpoint: &mut Endpoint, operation: Operation, seen: &mut Seen) {
    let now = endpoint.now;
    let connection = &mut endpoint.connection;
    match operation {
        Operation::Bytes(bytes) => connection.handle_input(now, (&bytes[..]).into()),
        Operation::Frame(first, payload) => {
            let bytes = frame(connection.role().peer(), first, &payload);
            connection.handle_input(now, (&bytes[..]).into());
        }
        Operation::PollEvents(count) => {
            for _ in 0..count {
                if let Some(event) = connection.poll_event(now) {
                    seen.event(&event);
                }
            }
        }
        Operation::Write(limit) => seen.wire.extend(endpoint.write_some(limit)),
        Operation::Pass(millis) => endpoint.pass(Duration::from_millis(millis)),
        Operation::Timeout => connection.handle_timeout(now),
        Operation::SendText(text) => connection.send_text(now, text).unwrap_or_default(),
        Operation::SendBinary(bytes) => connection.send_binary(now, bytes).unwrap_or_default(),
        Operation::SendPing(payload) => connection.send_ping(now, &payload).unwrap_or_default(),
        Operation::Close(number) => {
            if let Ok(code) = SendCode::try_from(number) {
                connection
                    .close(now, code, Reason::EMPTY)
                    .unwrap_or_default();
            }
        }
        Operation::Pause => connection.pause_reading(),
        Operation::Resume => connection.resume_reading(now),
        Operation::Move => move_to_another_place(endpoint),
        Operation::Eof => connection.handle_eof(now),
        Operation::Reset => connection.handle_reset(now, Detail::None),
        Operation::TlsTruncated => connection.handle_tls_truncated(now),
        Operation::WriteFailed => connection.handle_write_failed(now, Detail::None),
        Operation::Abort => connection.abort(now),
    }
}

/// Export and import on the way.
fn move_to_another_place(endpoint: &mut Endpoint) {
    if let Ok(snapshot) = endpoint.connection.export() {
        let config = endpoint.config();
        let random = endpoint.random();
        endpoint.connection = Connection::import(config, random, &snapshot).unwrap();
        assert_eq!(endpoint.connection.export(), Ok(snapshot));
    }
}

fn whatever_happens(role: Role, operations: Vec<Operation>) {
    until_the_end(small_endpoint(role), operations);
}

fn small_endpoint(role: Role) -> Endpoint {
    Endpoint::with(role, |config| {
        config.limits.message = 500;
        config.limits.queue = 8_000;
        config.idle_timeout = Some(Duration::from_secs(90));
    })
}

fn until_the_end(mut endpoint: Endpoint, operations: Vec<Operation>) {
    let mut seen = Seen::default();
    for operation in operations {
        perform(&mut endpoint, operation, &mut seen);
    }
    // From here on the driver does its duty, and the peer is gone.
    endpoint.connection.resume_reading(endpoint.now);
    for event in endpoint.events() {
        seen.event(&event);
    }
    seen.wire.extend(endpoint.write_all());
    endpoint.connection.handle_eof(endpoint.now);
    for event in endpoint.events() {
        seen.event(&event);
    }
    seen.wire.extend(endpoint.write_all());
    for event in endpoint.events() {
        seen.event(&event);
    }
    assert_eq!(endpoint.connection.state(), State::Closed);
    assert_eq!((seen.endings, seen.after_ending), (1, 0));
    assert!(endpoint.connection.export().is_err());
    let (frames, rest) = whole_frames(&seen.wire);
    let closes = frames
        .iter()
        .filter(|&&first| first & 0x0F == CLOSE)
        .count();
    assert!(closes <= 1);
    let ending = endpoint.ending();
    assert_eq!(ending.sent.is_some(), closes == 1, "{ending:?}");
    assert!(closes == 0 || (frames.last() == Some(&0x88) && rest == 0));
    assert!(!ending.to_string().is_empty());
    assert_eq!(endpoint.connection.queued_bytes(), 0);
    assert_eq!(endpoint.connection.poll_timeout(), None);
}

/// The first bytes of all whole frames, and how many bytes are left.
fn whole_frames(mut wire: &[u8]) -> (Vec<u8>, usize) {
    let mut firsts = Vec::new();
    loop {
        let Some(&[first, second]) = wire.first_chunk() else {
            return (firsts, wire.len());
        };
        let (mut length, mut header) = (usize::from(second & 0x7F), 2);
        if length == 126 {
            let Some(&[_, _, high, low]) = wire.first_chunk() else {
                return (firsts, wire.len());
            };
            (length, header) = (usize::from(u16::from_be_bytes([high, low])), 4);
        }
        if second & 0x80 != 0 {
            header += 4;
        }
        if wire.len() < header + length {
            return (firsts, wire.len());
        }
        firsts.push(first);
        wire = &wire[header + length..];
    }
}

/// Writes arbitrary values into a snapshot.
fn spoil(snapshot: &mut Snapshot, field: u8, number: u64, bytes: Vec<u8>) {
    let time = Duration::from_millis(number);
    match (field % 9, &mut snapshot.receive) {
        (0, _) => snapshot.output.written = number,
        (1, _) => snapshot.output.unwritten = bytes,
        (2, _) => snapshot.liveness.received = time,
        (3, _) => snapshot.liveness.ping = PingSnapshot::Awaited { since: time },
        (4, _) => snapshot.opened = time,
        (5, _) => snapshot.input = bytes,
        (6, Some(receive)) => receive.decoder.head = bytes,
        (7, Some(receive)) => {
            let (kind, received) = (MessageKind::Text, bytes);
            receive.message = Some(MessageSnapshot {
                kind,
                compressed: false,
                received,
            });
        }
        (8, Some(receive)) => {
            if let Some(frame) = &mut receive.decoder.frame {
                frame.remaining = number;
            }
        }
        _ => snapshot.receive = None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn client_never_panics_and_ends_once(operations in vec(operation(), 0..80)) {
        whatever_happens(Role::Client, operations);
    }

    #[test]
    fn server_never_panics_and_ends_once(operations in vec(operation(), 0..80)) {
        whatever_happens(Role::Server, operations);
    }

    #[cfg(feature = "deflate")]
    #[test]
    fn compression_never_panics_and_ends_once(
        operations in vec(operation(), 0..60),
        role in prop_oneof![Just(Role::Client), Just(Role::Server)],
        no_takeover in any::<bool>(),
        bits in 8..16_u8,
    ) {
        let agreed = revoir_proto::extension::deflate::Agreed {
            server_no_context_takeover: no_takeover,
            client_no_context_takeover: no_takeover,
            server_max_window_bits: bits,
            client_max_window_bits: bits,
            level: 1,
        };
        until_the_end(small_endpoint(role).compressed(agreed), operations);
    }

    #[test]
    fn a_spoiled_snapshot_is_refused_or_harmless(
        before in vec(operation(), 0..20),
        spoils in vec((any::<u8>(), any::<u64>(), vec(any::<u8>(), 0..20)), 1..4),
        after in vec(operation(), 0..20),
        role in prop_oneof![Just(Role::Client), Just(Role::Server)],
    ) {
        let mut endpoint = small_endpoint(role);
        for operation in before {
            perform(&mut endpoint, operation, &mut Seen::default());
        }
        if let Ok(mut snapshot) = endpoint.connection.export() {
            for (field, number, bytes) in spoils {
                spoil(&mut snapshot, field, number, bytes);
            }
            let (config, random) = (endpoint.config(), endpoint.random());
            if let Ok(moved) = Connection::import(config, random, &snapshot) {
                endpoint.connection = moved;
            }
        }
        for operation in after {
            perform(&mut endpoint, operation, &mut Seen::default());
        }
        endpoint.connection.abort(endpoint.now);
        prop_assert_eq!(endpoint.connection.state(), State::Closed);
    }

    #[test]
    fn arbitrary_bytes_in_arbitrary_pieces_give_the_same_events(
        bytes in vec(any::<u8>(), 0..200),
        size in 1..50_usize,
        role in prop_oneof![Just(Role::Client), Just(Role::Server)],
    ) {
        let mut whole = Endpoint::new(role);
        let mut pieces = Endpoint::new(role);
        let expected = whole.receive(&bytes);
        let events: Vec<Event> = bytes.chunks(size).flat_map(|c| pieces.receive(c)).collect();
        prop_assert_eq!(events, expected);
        prop_assert_eq!(pieces.write_all(), whole.write_all());
    }

    #[test]
    fn whole_frames_give_the_same_events_as_frames_in_pieces(
        frames in vec((first_byte(), payload()), 1..12),
        spoilt in proptest::option::of((any::<prop::sample::Index>(), any::<u8>())),
        size in prop_oneof![Just(1_usize), 2..400_usize],
        room in 0..4000_usize,
        role in prop_oneof![Just(Role::Client), Just(Role::Server)],
    ) {
        let mut bytes: Vec<u8> = frames
            .iter()
            .flat_map(|(first, payload)| frame(role.peer(), *first, payload))
            .collect();
        if let Some((at, value)) = spoilt {
            *at.get_mut(&mut bytes) = value;
        }
        let (mut whole, mut pieces) = (small_endpoint(role), small_endpoint(role));
        let (mut lent, mut buffer) = (small_endpoint(role), BytesMut::with_capacity(room));
        let expected = whole.receive(&bytes);
        let in_one: Vec<Event> =
            bytes.chunks(size).flat_map(|c| lent.read_lent(c, &mut buffer)).collect();
        prop_assert_eq!(&in_one, &expected);
        prop_assert_eq!(lent.connection.export(), whole.connection.export());
        // No piece of one byte holds a frame: this is the general way.
        let events: Vec<Event> = bytes.chunks(size).flat_map(|c| pieces.receive(c)).collect();
        prop_assert_eq!(events, expected);
        prop_assert_eq!(pieces.write_all(), whole.write_all());
        prop_assert_eq!(pieces.connection.export(), whole.connection.export());
    }
}
