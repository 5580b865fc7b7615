//! However the bytes arrive, the events are the same.

use bytes::BytesMut;
use revoir_proto::{Event, Role};

use crate::support::{
    BINARY, CLOSE, CONTINUATION, Endpoint, FIN, PING, PONG, TEXT, close_payload, frame,
};

/// Byte sequences as `sender` would send them.
fn vectors(sender: Role) -> Vec<Vec<u8>> {
    let frame = |first, payload: &[u8]| frame(sender, first, payload);
    let close = frame(FIN | CLOSE, &close_payload(1001, "going"));
    vec![
        frame(FIN | TEXT, b""),
        frame(FIN | TEXT, "καλημέρα".as_bytes()),
        [
            frame(FIN | BINARY, &[9; 125]),
            frame(FIN | BINARY, &[8; 126]),
        ]
        .concat(),
        frame(FIN | BINARY, &[7; 300]),
        [
            frame(TEXT, b"a\xE9"),
            frame(FIN | PING, b"inside"),
            frame(CONTINUATION, b"\x87"),
            frame(CONTINUATION, b""),
            frame(FIN | PONG, b""),
            frame(FIN | CONTINUATION, b"\x8Dz"),
            close.clone(),
        ]
        .concat(),
        [close.clone(), frame(FIN | TEXT, b"after")].concat(),
        frame(FIN | CLOSE, b""),
        frame(FIN | CLOSE, b"\x03"),
        frame(FIN | CLOSE, &close_payload(1005, "")),
        frame(FIN | CLOSE, b"\x03\xE8\xFF"),
        [frame(FIN | TEXT, b"good"), frame(FIN | 3, b"bad")].concat(),
        [frame(BINARY, b"x"), frame(FIN | TEXT, b"y")].concat(),
        frame(CONTINUATION, b"x"),
        frame(FIN | TEXT, b"bad \xFF text"),
        [
            frame(FIN | TEXT, "é重z".repeat(100).as_bytes()),
            frame(
                FIN | TEXT,
                &[&[b'a'; 400][..], b"\xE9z", &[b'a'; 100]].concat(),
            ),
        ]
        .concat(),
        frame(FIN | PING, &[0; 126]),
        frame(FIN | BINARY, &[0; 3000]),
        frame(FIN | 0x70 | TEXT, b"x"),
        vec![
            FIN | BINARY,
            if sender == Role::Client { 0xFE } else { 126 },
            0,
            1,
            0,
            0,
            0,
            0,
            0,
        ],
    ]
}

fn endpoint(role: Role) -> Endpoint {
    Endpoint::with(role, |config| config.limits.message = 2000)
}

/// How the driver passes bytes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// As input, each piece in memory of its own.
    Given,
    /// As input out of one buffer, each piece right behind the one before.
    Split,
    /// Read to where the connection says, which is lent the rest of one buffer.
    Lent,
    /// Read to where the connection says, or else to a buffer of so many bytes.
    Read(usize),
    /// The same, and on where a message has begun in that buffer.
    ReadOn(usize),
}

const WAYS: [Way; 7] = [
    Way::Given,
    Way::Split,
    Way::Lent,
    Way::Read(64),
    Way::Read(5_000),
    Way::Read(400),
    Way::ReadOn(400),
];

/// Events and output for bytes that arrive in these pieces, up to the end of the stream.
fn outcome<'a>(
    role: Role,
    way: Way,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Event>, Vec<u8>) {
    let mut endpoint = endpoint(role);
    let mut events: Vec<Event> = Vec::new();
    let mut buffer = BytesMut::with_capacity(5_000);
    for piece in pieces {
        events.extend(match way {
            Way::Given => endpoint.receive(piece),
            Way::Split => {
                buffer.extend_from_slice(piece);
                endpoint
                    .connection
                    .handle_input(endpoint.now, buffer.split());
                endpoint.events()
            }
            Way::Lent => endpoint.read_lent(piece, &mut buffer),
            Way::Read(capacity) => endpoint.read(piece, capacity).0,
            Way::ReadOn(capacity) => endpoint.read_on(piece, capacity).0,
        });
    }
    let mut wire = endpoint.write_all();
    events.extend(endpoint.eof());
    wire.extend(endpoint.write_all());
    assert!(matches!(events.last(), Some(Event::Ended(_))));
    (events, wire)
}

role_grid! {
    fn byte_by_byte_is_the_same_as_whole(role) {
        for bytes in vectors(role.peer()) {
            let whole = outcome(role, Way::Given, std::iter::once(&bytes[..]));
            for way in WAYS {
                assert_eq!(outcome(role, way, bytes.chunks(1)), whole, "{bytes:x?} {way:?}");
            }
        }
    }

    fn a_split_at_any_position_is_the_same_as_whole(role) {
        for bytes in vectors(role.peer()) {
            let whole = outcome(role, Way::Given, std::iter::once(&bytes[..]));
            for (at, way) in (0..=bytes.len()).flat_map(|at| WAYS.map(|way| (at, way))) {
                let (head, tail) = bytes.split_at(at);
                // Only between two cuts is there an inner piece that belongs to what is cut.
                let second = if way == Way::Given { 0 } else { tail.len() / 2 };
                let (inner, tail) = tail.split_at(second);
                let pieces = [head, inner, tail].into_iter();
                assert_eq!(outcome(role, way, pieces), whole, "{bytes:x?} {at} {way:?}");
            }
        }
    }

    fn bytes_read_where_the_connection_says_are_the_same_as_input(role) {
        for bytes in vectors(role.peer()) {
            let cases = [1, 2, 7, 100, 250].into_iter().flat_map(|size| [(size, 64), (size, 400), (size, 5_000)]);
            for (size, capacity) in cases {
                let (mut read, mut given) = (endpoint(role), endpoint(role));
                let mut read_on = endpoint(role);
                for piece in bytes.chunks(size) {
                    let events = given.receive(piece);
                    assert_eq!(read.read(piece, capacity).0, events);
                    assert_eq!(read_on.read_on(piece, capacity).0, events);
                    let snapshot = given.connection.export();
                    assert_eq!(read.connection.export(), snapshot);
                    assert_eq!(read_on.connection.export(), snapshot);
                }
                assert_eq!(read.write_all(), given.write_all());
                assert_eq!(read.eof(), given.eof());
            }
        }
    }

    fn input_out_of_one_buffer_is_the_same_and_a_message_in_it_is_not_copied(role) {
        for bytes in vectors(role.peer()) {
            for (first, lends) in [(300, false), (500, false), (300, true), (500, true)] {
                let (mut split, mut given) = (endpoint(role), endpoint(role));
                let mut buffer = BytesMut::with_capacity(5_000);
                let memory = buffer.as_ptr() as usize;
                let memory = memory..memory + 5_000;
                let (head, tail) = bytes.split_at(first.min(bytes.len()));
                for piece in std::iter::once(head).chain(tail.chunks(100)) {
                    let events = if lends {
                        split.read_lent(piece, &mut buffer)
                    } else {
                        buffer.extend_from_slice(piece);
                        split.connection.handle_input(split.now, buffer.split());
                        split.events()
                    };
                    for event in &events {
                        if let Event::Message(message) = event && message.as_bytes().len() > 500 {
                            assert!(memory.contains(&(message.as_bytes().as_ptr() as usize)));
                        }
                    }
                    assert_eq!(events, given.receive(piece));
                    assert_eq!(split.connection.export(), given.connection.export());
                }
                assert_eq!(split.eof(), given.eof());
            }
        }
    }

    fn a_lent_buffer_comes_back_behind_the_message_that_needed_it(role) {
        let message = frame(role.peer(), FIN | BINARY, &[b'a'; 1000]);
        let (head, tail) = message.split_at(600);
        let (end, start) = tail.split_at(tail.len() - 3);
        let mut endpoint = endpoint(role);
        let mut buffer = BytesMut::with_capacity(5_000);
        assert_eq!(endpoint.read_lent(head, &mut buffer), []);
        let rest = buffer.capacity();
        assert!(rest > 0);
        assert_eq!(endpoint.read_lent(end, &mut buffer), []);
        assert_eq!(buffer.capacity(), 0, "lent");
        let ends_with_a_start = [start, &message[..20]].concat();
        assert_eq!(endpoint.read_lent(&ends_with_a_start, &mut buffer).len(), 1);
        // A few bytes of a message stay there too.
        assert_eq!(endpoint.read_lent(&message[20..], &mut buffer).len(), 1);
        assert_eq!(buffer.capacity(), 0, "still lent");
        endpoint.connection.lend_input(&mut buffer);
        assert_eq!(buffer.capacity(), rest - tail.len() - message.len());
        // A driver may make room where the start of a message lies.
        assert_eq!(endpoint.read_lent(head, &mut buffer), []);
        let into = endpoint.connection.lend_input(&mut buffer);
        into.reserve(10_000);
        assert_eq!(endpoint.read_lent(tail, &mut buffer).len(), 1);
    }

    fn a_buffer_that_was_lent_without_room_comes_back_with_some(role) {
        let message = frame(role.peer(), FIN | BINARY, &[b'a'; 1_000]);
        let (head, tail) = message.split_at(600);
        let mut endpoint = endpoint(role);
        let mut buffer = BytesMut::with_capacity(head.len());
        assert_eq!(endpoint.read_lent(head, &mut buffer), []);
        assert_eq!(buffer.capacity(), 0, "full");
        endpoint.connection.lend_input(&mut buffer).reserve(5_000);
        assert_eq!(endpoint.read_lent(tail, &mut buffer).len(), 1);
        assert_eq!(buffer.capacity(), 0, "lent");
        endpoint.connection.lend_input(&mut buffer);
        assert!(buffer.capacity() >= 5_000 - tail.len(), "{}", buffer.capacity());
    }

    fn a_driver_that_lends_nothing_gets_nothing_back(role) {
        let message = frame(role.peer(), FIN | BINARY, &[b'a'; 1_000]);
        let (head, tail) = message.split_at(600);
        // Read together with the opening handshake, in memory with and without room.
        for capacity in [600, 5_000] {
            let mut endpoint = endpoint(role);
            let mut input = BytesMut::with_capacity(capacity);
            input.extend_from_slice(head);
            endpoint.connection.handle_input(endpoint.now, input);
            assert_eq!(endpoint.events(), []);
            assert_eq!(endpoint.read_on(tail, 2_000).0.len(), 1, "{capacity}");
            let mut none = BytesMut::new();
            assert_eq!(endpoint.connection.lend_input(&mut none).capacity(), 0, "{capacity}");
            assert_eq!(endpoint.read_on(&message, 2_000).0.len(), 1, "{capacity}");
        }
    }

    fn a_message_that_half_fills_the_buffer_and_has_room_there_is_not_copied(role) {
        for (first, capacity) in [(700, 1_400), (700, 1_014), (1_000, 1_014), (1_014, 1_014)] {
            for kind in [TEXT, BINARY] {
                let message = frame(role.peer(), FIN | kind, &[b'a'; 1_000]);
                let (head, tail) = message.split_at(first.min(message.len()));
                let mut endpoint = endpoint(role);
                let mut buffer = Vec::with_capacity(capacity);
                let memory = buffer.as_ptr() as usize;
                buffer.extend_from_slice(head);
                endpoint.connection.received(endpoint.now, &mut buffer);
                assert_eq!(buffer.capacity(), 0, "given away");
                let (mut events, straight) = endpoint.read_on(tail, capacity);
                assert_eq!(straight, tail.len());
                events.extend(endpoint.events());
                let [Event::Message(message)] = &events[..] else {
                    panic!("{events:?}");
                };
                assert_eq!(message.as_bytes(), [b'a'; 1_000]);
                let place = message.as_bytes().as_ptr() as usize;
                assert!((memory..memory + 14).contains(&place));
                // Nothing is left of the buffer.
                let mut none = BytesMut::new();
                assert_eq!(endpoint.connection.lend_input(&mut none).capacity(), 0);
            }
        }
    }

    fn a_message_stays_in_no_buffer_that_it_does_not_half_fill_or_that_is_too_short(role) {
        let message = frame(role.peer(), FIN | BINARY, &[b'a'; 1_000]);
        for (first, capacity) in [(600, 1_400), (700, 1_000)] {
            let mut endpoint = endpoint(role);
            let mut buffer = Vec::with_capacity(capacity);
            buffer.extend_from_slice(&message[..first]);
            endpoint.connection.received(endpoint.now, &mut buffer);
            assert_eq!(buffer.capacity(), capacity);
            assert_eq!(endpoint.read_on(&message[first..], capacity).0.len(), 1);
        }
    }

    fn most_of_a_long_message_goes_straight_into_it(role) {
        for fragment in [100_000, 30_000] {
            let mut bytes = Vec::new();
            let payload: Vec<u8> = (0..100_000).map(|at| b'a' + (at % 26) as u8).collect();
            for (number, piece) in payload.chunks(fragment).enumerate() {
                let first = if number == 0 { TEXT } else { CONTINUATION };
                let fin = if (number + 1) * fragment < payload.len() { 0 } else { FIN };
                bytes.extend(frame(role.peer(), fin | first, piece));
            }
            bytes.extend(frame(role.peer(), FIN | BINARY, b"behind"));
            let (mut read, mut given) = (Endpoint::new(role), Endpoint::new(role));
            let (mut events, mut straight) = (Vec::new(), 0);
            for piece in bytes.chunks(16_384) {
                let (some, count) = read.read(piece, 16_384);
                events.extend(some);
                straight += count;
            }
            assert_eq!(events, given.receive(&bytes));
            // All but the first read, and what shares a read with the start of a frame.
            assert!(straight > 60_000, "{straight}");
        }
    }

    fn input_handed_over_before_it_was_asked_for_is_the_same_as_whole(role) {
        for bytes in vectors(role.peer()) {
            let whole = outcome(role, Way::Given, std::iter::once(&bytes[..]));
            for at in 0..=bytes.len() {
                let mut endpoint = endpoint(role);
                let (head, tail) = bytes.split_at(at);
                endpoint.connection.handle_input(endpoint.now, head.into());
                endpoint.connection.handle_input(endpoint.now, tail.into());
                let mut events = endpoint.events();
                let mut wire = endpoint.write_all();
                events.extend(endpoint.eof());
                wire.extend(endpoint.write_all());
                assert_eq!((events, wire), whole, "{bytes:x?} {at}");
            }
        }
    }
}
