//! However the bytes arrive, the events are the same.

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
    /// As input.
    Given,
    /// Out of its own buffer, and as input if they are not taken.
    OfferedFirst,
}

const WAYS: [Way; 2] = [Way::Given, Way::OfferedFirst];

/// Events and output for bytes that arrive in these pieces, up to the end of the stream.
fn outcome<'a>(
    role: Role,
    way: Way,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<Event>, Vec<u8>) {
    let mut endpoint = endpoint(role);
    let mut events: Vec<Event> = Vec::new();
    for piece in pieces {
        let is_taken =
            way == Way::OfferedFirst && endpoint.connection.handle_payload(endpoint.now, piece);
        if !is_taken {
            events.extend(endpoint.receive(piece));
        }
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
                // Only between two cuts is there an inner piece that can be taken.
                let second = if way == Way::OfferedFirst { tail.len() / 2 } else { 0 };
                let (inner, tail) = tail.split_at(second);
                let pieces = [head, inner, tail].into_iter();
                assert_eq!(outcome(role, way, pieces), whole, "{bytes:x?} {at} {way:?}");
            }
        }
    }

    fn payload_offered_out_of_the_drivers_buffer_is_the_same_as_input(role) {
        let mut taken = 0;
        for bytes in vectors(role.peer()) {
            for size in [1, 2, 7, 100] {
                let (mut offered, mut given) = (endpoint(role), endpoint(role));
                for piece in bytes.chunks(size) {
                    let events = given.receive(piece);
                    if offered.connection.handle_payload(offered.now, piece) {
                        taken += 1;
                        assert_eq!(events, []);
                    } else {
                        assert_eq!(offered.receive(piece), events);
                    }
                    assert_eq!(offered.connection.export(), given.connection.export());
                }
                assert_eq!(offered.write_all(), given.write_all());
                assert_eq!(offered.eof(), given.eof());
            }
        }
        assert!(taken > 400, "{taken}");
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
