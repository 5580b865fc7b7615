//! A connection moved to another place after every byte goes on as if nothing had happened.

use std::sync::Arc;
use std::time::Duration;

use revoir_proto::{
    Cause, Config, Connection, Detail, Event, MessageKind, MessageSnapshot, Reason, Role, SendCode,
    Snapshot, SnapshotError, State, UsageError,
};

use crate::support::{
    BINARY, CLOSE, CONTINUATION, Endpoint, FIN, PING, PONG, TEXT, close_payload, frame,
};

/// A conversation as the peer `sender` has it.
fn conversation(sender: Role) -> Vec<u8> {
    let frame = |first, payload: &[u8]| frame(sender, first, payload);
    let long = "重启 ".repeat(60);
    [
        frame(FIN | TEXT, "καλημέρα".as_bytes()),
        frame(FIN | BINARY, &[7; 300]),
        frame(TEXT, b"fragment \xE9"),
        frame(FIN | PING, b"between fragments"),
        frame(CONTINUATION, b"\x87"),
        frame(FIN | CONTINUATION, b"\x8D ends"),
        frame(FIN | PONG, b"unasked"),
        frame(FIN | TEXT, long.as_bytes()),
        frame(BINARY, b"half"),
        frame(FIN | CONTINUATION, &[1; 130]),
        frame(
            FIN | CLOSE,
            &close_payload(1012, "service restart [after=3217ms]"),
        ),
        frame(FIN | TEXT, b"thrown away"),
    ]
    .concat()
}

fn relocate(endpoint: &mut Endpoint) {
    let snapshot = endpoint.connection.export().unwrap();
    let (config, random) = (endpoint.config(), endpoint.random());
    endpoint.connection = Connection::import(config, random, &snapshot).unwrap();
    assert_eq!(endpoint.connection.export(), Ok(snapshot));
}

/// The whole conversation; `when` says before which bytes the connection moves.
fn outcome(role: Role, when: impl Fn(usize) -> bool) -> (Vec<Event>, Vec<u8>) {
    let mut endpoint = Endpoint::new(role);
    let (mut events, mut wire) = (Vec::new(), Vec::new());
    for (at, byte) in conversation(role.peer()).into_iter().enumerate() {
        if when(at) {
            relocate(&mut endpoint);
        }
        if at % 97 == 0 && endpoint.connection.state() == State::Open {
            endpoint
                .connection
                .send_text(endpoint.now, "from us")
                .unwrap();
        }
        endpoint.pass(Duration::from_millis(7));
        events.extend(endpoint.receive(&[byte]));
        // Slowly, so that the queue is part of it.
        wire.extend(endpoint.write_some(1));
    }
    wire.extend(endpoint.write_all());
    events.extend(endpoint.eof());
    assert!(matches!(events.last(), Some(Event::Ended(_))));
    (events, wire)
}

role_grid! {
    fn a_move_before_every_single_byte_changes_nothing(role) {
        let undisturbed = outcome(role, |_| false);
        assert_eq!(outcome(role, |_| true), undisturbed);
    }

    fn one_move_before_any_byte_changes_nothing(role) {
        let undisturbed = outcome(role, |_| false);
        for at in 0..conversation(role.peer()).len() {
            assert_eq!(outcome(role, |byte| byte == at), undisturbed, "{at}");
        }
    }

    fn a_ping_under_way_and_a_round_trip_survive(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.run_for(Duration::from_secs(23));
        relocate(&mut endpoint);
        let frames = endpoint.sent_frames();
        assert_eq!(frames.len(), 1);
        relocate(&mut endpoint);
        endpoint.pass(Duration::from_millis(30));
        endpoint.receive_frame(FIN | PONG, &frames[0].payload);
        relocate(&mut endpoint);
        assert_eq!(endpoint.connection.rtt(), Some(Duration::from_millis(30)));
    }

    fn input_nobody_took_survives(role) {
        let mut endpoint = Endpoint::new(role);
        let bytes = conversation(role.peer());
        endpoint.connection.handle_input(endpoint.now, (&bytes[..]).into());
        endpoint.connection.handle_eof(endpoint.now);
        relocate(&mut endpoint);
        let mut events = endpoint.events();
        endpoint.write_all();
        events.extend(endpoint.events());
        let messages = events.iter().filter(|event| matches!(event, Event::Message(_)));
        assert_eq!(messages.count(), 5);
        assert!(endpoint.ending().is_clean());
    }

    fn our_unanswered_close_keeps_its_deadline(role) {
        let mut endpoint = Endpoint::new(role);
        let reason = Reason::new("gone").unwrap();
        endpoint.connection.close(endpoint.now, SendCode::GOING_AWAY, reason).unwrap();
        endpoint.write_some(3);
        relocate(&mut endpoint);
        endpoint.write_all();
        endpoint.run_for(Duration::from_secs(4));
        relocate(&mut endpoint);
        endpoint.run_for(Duration::from_secs(1));
        let ending = endpoint.ending();
        assert_eq!(ending.open_for, Duration::from_secs(5));
        assert!(ending.closed_at.as_ref().unwrap().file.ends_with("snapshot.rs"));
    }

    fn times_can_be_moved_to_another_epoch(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.run_for(Duration::from_secs(23));
        endpoint.write_all();
        let left = endpoint.connection.poll_timeout().unwrap() - endpoint.now;
        let mut snapshot = endpoint.connection.export().unwrap();
        let elsewhere = Duration::from_secs(77_777);
        snapshot.rebase(endpoint.now, elsewhere);
        let (config, random) = (endpoint.config(), endpoint.random());
        let moved = Connection::import(config, random, &snapshot).unwrap();
        assert_eq!(moved.poll_timeout().unwrap() - elsewhere, left);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        let mut snapshot = endpoint.connection.export().unwrap();
        snapshot.rebase(endpoint.now, elsewhere);
        let (config, random) = (endpoint.config(), endpoint.random());
        let moved = Connection::import(config, random, &snapshot).unwrap();
        assert_eq!(moved.poll_timeout(), Some(elsewhere + Duration::from_secs(5)));
    }

    fn nothing_is_lost_of_what_was_before_the_epoch_of_a_new_process(role) {
        let second = Duration::from_secs(1);
        let mut endpoint = Endpoint::new(role);
        endpoint.pass(600 * second);
        endpoint.receive_frame(FIN | TEXT, b"x");
        endpoint.connection.send_text(endpoint.now, "y").unwrap();
        endpoint.write_all();
        endpoint.pass(15 * second);
        endpoint.connection.send_text(endpoint.now, "stuck").unwrap();
        let left = endpoint.connection.poll_timeout().unwrap() - endpoint.now;
        // From process to process, each one second after its start, and back to the first epoch.
        for to in [second, second, endpoint.now] {
            let mut snapshot = endpoint.connection.export().unwrap();
            snapshot.rebase(endpoint.now, to);
            let (config, random) = (endpoint.config(), endpoint.random());
            endpoint.connection = Connection::import(config, random, &snapshot).unwrap();
            endpoint.now = to;
            assert_eq!(endpoint.connection.poll_timeout().unwrap() - endpoint.now, left);
        }
        endpoint.now = second;
        let mut snapshot = endpoint.connection.export().unwrap();
        snapshot.rebase(Duration::from_secs(1_615), second);
        let (config, random) = (endpoint.config(), endpoint.random());
        endpoint.connection = Connection::import(config, random, &snapshot).unwrap();
        endpoint.eof();
        let ending = endpoint.ending();
        assert_eq!((ending.open_for, ending.idle_for), (615 * second, 15 * second));
    }

    fn a_closing_connection_keeps_its_deadline_in_a_process_with_a_later_epoch(role) {
        let second = Duration::from_secs(1);
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.write_all();
        endpoint.pass(2 * second);
        let mut snapshot = endpoint.connection.export().unwrap();
        snapshot.rebase(endpoint.now, Duration::ZERO);
        let (config, random) = (endpoint.config(), endpoint.random());
        let moved = Connection::import(config, random, &snapshot).unwrap();
        assert_eq!(moved.poll_timeout(), Some(3 * second));
    }

    fn a_message_over_the_limit_of_the_new_configuration_is_refused(role) {
        let mut endpoint = Endpoint::new(role);
        let bytes = endpoint.peer_frame(FIN | BINARY, &vec![0; 1_000_000]);
        endpoint.receive(&bytes[..60]);
        let snapshot = endpoint.connection.export().unwrap();
        let mut config = Config::default();
        config.limits.message = 1_000;
        let refused = Connection::import(Arc::new(config), endpoint.random(), &snapshot);
        let error = SnapshotError::OverLimit { got: 1_000_000, allowed: 1_000 };
        assert_eq!(refused.err(), Some(error));
    }

    fn a_frame_longer_than_any_message_is_refused(role) {
        let mut endpoint = Endpoint::new(role);
        let bytes = endpoint.peer_frame(FIN | BINARY, &[0; 100]);
        endpoint.receive(&bytes[..60]);
        let mut snapshot = endpoint.connection.export().unwrap();
        let frame = snapshot.receive.as_mut().unwrap().decoder.frame.as_mut().unwrap();
        frame.header.length = 1 << 40;
        frame.remaining = 1 << 40;
        let refused = Connection::import(endpoint.config(), endpoint.random(), &snapshot);
        assert!(matches!(refused.err(), Some(SnapshotError::OverLimit { .. })));
    }

    fn a_closing_handshake_that_does_not_fit_the_queue_is_refused(role) {
        type Spoil = fn(&mut Snapshot);
        let spoils: [Spoil; 6] = [
            |snapshot| snapshot.closing.as_mut().unwrap().written = true,
            |snapshot| snapshot.output.unwritten.clear(),
            |snapshot| snapshot.closing.as_mut().unwrap().failed = true,
            |snapshot| snapshot.receive = None,
            |snapshot| snapshot.write_shut = true,
            |snapshot| snapshot.deaf_since = Some(Duration::ZERO),
        ];
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.send_text(endpoint.now, "a").unwrap();
        endpoint.close(SendCode::NORMAL_CLOSURE);
        let good = endpoint.connection.export().unwrap();
        for (number, spoil) in spoils.into_iter().enumerate() {
            let mut snapshot = good.clone();
            spoil(&mut snapshot);
            let refused = Connection::import(endpoint.config(), endpoint.random(), &snapshot);
            assert_eq!(refused.err(), Some(SnapshotError::Inconsistent), "{number}");
        }
    }

    fn an_open_connection_has_not_shut_down_its_direction(role) {
        let endpoint = Endpoint::new(role);
        let mut snapshot = endpoint.connection.export().unwrap();
        snapshot.write_shut = true;
        let refused = Connection::import(endpoint.config(), endpoint.random(), &snapshot);
        assert_eq!(refused.err(), Some(SnapshotError::Inconsistent));
    }

    fn input_behind_a_reset_survives(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.send_text(endpoint.now, "cut").unwrap();
        let bytes = endpoint.peer_frame(FIN | TEXT, b"x");
        endpoint.connection.handle_input(endpoint.now, (&bytes[..]).into());
        endpoint.connection.handle_reset(endpoint.now, Detail::Os(104));
        relocate(&mut endpoint);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        relocate(&mut endpoint);
        assert_eq!(endpoint.events().len(), 2);
        let ending = endpoint.ending();
        assert_eq!((ending.cause, &ending.detail), (Cause::Reset, &Detail::Os(104)));
        assert!(ending.unsent > 0);
    }

    fn output_behind_a_broken_transport_is_refused(role) {
        type Spoil = fn(&mut Snapshot);
        let spoils: [Spoil; 2] = [
            |snapshot| snapshot.output.unwritten = vec![0],
            |snapshot| snapshot.waiting_pong = Some(vec![]),
        ];
        // Input that nobody took keeps the connection open.
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.handle_input(endpoint.now, (&[0x83][..]).into());
        endpoint.connection.handle_reset(endpoint.now, Detail::None);
        let good = endpoint.connection.export().unwrap();
        for (number, spoil) in spoils.into_iter().enumerate() {
            let mut snapshot = good.clone();
            spoil(&mut snapshot);
            let refused = Connection::import(endpoint.config(), endpoint.random(), &snapshot);
            assert_eq!(refused.err(), Some(SnapshotError::Inconsistent), "{number}");
        }
        assert!(Connection::import(endpoint.config(), endpoint.random(), &good).is_ok());
    }

    fn a_closed_connection_has_no_snapshot(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.eof();
        let refused = Err(UsageError::NotOpen { state: State::Closed });
        assert_eq!(endpoint.connection.export(), refused);
    }

    fn a_snapshot_that_cannot_be_is_refused(role) {
        let mut endpoint = Endpoint::new(role);
        let bytes = endpoint.peer_frame(TEXT, b"inside a text frame");
        endpoint.receive(&bytes[..12]);
        let good = endpoint.connection.export().unwrap();
        type Spoil = fn(&mut Snapshot);
        let spoils: [Spoil; 13] = [
            |snapshot| snapshot.output.written = u64::MAX,
            |snapshot| snapshot.state = State::Closing,
            |snapshot| snapshot.state = State::Closed,
            |snapshot| snapshot.receive = None,
            |snapshot| snapshot.waiting_pong = Some(vec![0; 126]),
            |snapshot| snapshot.receive.as_mut().unwrap().message = None,
            |snapshot| snapshot.receive.as_mut().unwrap().decoder.head = vec![0x81],
            |snapshot| snapshot.receive.as_mut().unwrap().decoder.control = vec![1],
            |snapshot| snapshot.receive.as_mut().unwrap().decoder.frame.as_mut().unwrap().remaining = 99,
            |snapshot| snapshot.receive.as_mut().unwrap().decoder.frame.as_mut().unwrap().next_key = match snapshot.role {
                Role::Client => Some([0; 4]),
                Role::Server => None,
            },
            |snapshot| {
                snapshot.receive.as_mut().unwrap().decoder.frame = None;
                snapshot.receive.as_mut().unwrap().decoder.head = vec![0x83];
            },
            |snapshot| {
                let received = vec![0xFF];
                let kind = MessageKind::Text;
                snapshot.receive.as_mut().unwrap().message =
                    Some(MessageSnapshot { kind, compressed: false, received });
            },
            |snapshot| {
                let (kind, received) = (MessageKind::Text, Vec::new());
                snapshot.receive.as_mut().unwrap().message =
                    Some(MessageSnapshot { kind, compressed: true, received });
            },
        ];
        for (number, spoil) in spoils.into_iter().enumerate() {
            let mut snapshot = good.clone();
            spoil(&mut snapshot);
            let refused = Connection::import(endpoint.config(), endpoint.random(), &snapshot);
            assert_eq!(refused.err(), Some(SnapshotError::Inconsistent), "{number}");
        }
        let newer = Snapshot { version: 2, ..good };
        let refused = Connection::import(Arc::clone(&endpoint.config()), endpoint.random(), &newer);
        assert_eq!(refused.err(), Some(SnapshotError::Version { got: 2 }));
    }
}
