//! An application that takes no messages: what that does to deadlines, and how it ends.

use std::time::Duration;

use revoir_proto::{
    Cause, CloseRequest, Connection, Event, LocalCause, Reason, Role, SendCode, State,
};

use crate::support::{BINARY, Endpoint, FIN, PING, PONG, Pair, TEXT};

const SECOND: Duration = Duration::from_secs(1);

/// An endpoint whose ping was written behind input that nobody takes.
fn pinging_with_an_untaken_message(role: Role) -> Endpoint {
    let mut endpoint = Endpoint::new(role);
    endpoint.pass(23 * SECOND);
    endpoint.connection.handle_timeout(endpoint.now);
    untaken(&mut endpoint, FIN | TEXT, b"untaken");
    assert_eq!(endpoint.sent_frames().len(), 1);
    endpoint
}

fn untaken(endpoint: &mut Endpoint, first: u8, payload: &[u8]) {
    let bytes = endpoint.peer_frame(first, payload);
    endpoint
        .connection
        .handle_input(endpoint.now, (&bytes[..]).into());
}

/// Wakes the endpoint up if it asked for that.
fn wake(endpoint: &mut Endpoint) {
    let now = endpoint.now;
    if endpoint
        .connection
        .poll_timeout()
        .is_some_and(|at| at <= now)
    {
        endpoint.connection.handle_timeout(now);
    }
}

/// Lets time pass, and wakes the endpoint and writes whenever there is something to do.
fn drive_for(endpoint: &mut Endpoint, time: Duration) -> Vec<u8> {
    let end = endpoint.now + time;
    let mut wire = endpoint.write_all();
    while endpoint.now < end {
        endpoint.pass(SECOND / 4);
        wake(endpoint);
        wire.extend(endpoint.write_all());
    }
    wire
}

role_grid! {
    fn input_that_waited_longer_than_the_pong_deadline_does_not_make_the_peer_dead(role) {
        let mut endpoint = pinging_with_an_untaken_message(role);
        endpoint.pass(30 * SECOND);
        assert_eq!(endpoint.events(), [Endpoint::text("untaken")]);
        wake(&mut endpoint);
        assert_eq!(endpoint.connection.state(), State::Open);
    }

    fn the_last_message_taken_ends_the_stall_without_another_look_for_events(role) {
        let mut endpoint = pinging_with_an_untaken_message(role);
        endpoint.pass(30 * SECOND);
        endpoint.connection.handle_timeout(endpoint.now);
        endpoint.write_all();
        endpoint.pass(30 * SECOND);
        let event = endpoint.connection.poll_event(endpoint.now);
        assert_eq!(event, Some(Endpoint::text("untaken")));
        wake(&mut endpoint);
        assert_eq!(endpoint.connection.state(), State::Open);
    }

    fn input_that_waited_longer_than_the_idle_limit_does_not_make_the_connection_idle(role) {
        let mut endpoint = Endpoint::with(role, |config| {
            config.idle_timeout = Some(60 * SECOND);
            config.keepalive = None;
        });
        endpoint.pass(40 * SECOND);
        let mut bytes = endpoint.peer_frame(FIN | PING, b"untaken");
        bytes.extend(endpoint.peer_frame(FIN | TEXT, b"half"));
        bytes.truncate(bytes.len() - 2);
        endpoint.connection.handle_input(endpoint.now, (&bytes[..]).into());
        assert_eq!(endpoint.connection.poll_timeout(), None);
        endpoint.pass(70 * SECOND);
        assert_eq!(endpoint.events().len(), 1);
        endpoint.write_all();
        // The 40 seconds before count, the 70 do not.
        endpoint.run_for(SECOND * 39 / 2);
        assert_eq!(endpoint.connection.state(), State::Open);
        endpoint.run_for(SECOND);
        assert_eq!(endpoint.sent_close().0, Some(1001));
    }

    fn only_the_time_of_a_pause_is_added_to_the_wait_for_a_sign_of_life(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.run_for(23 * SECOND);
        assert_eq!(endpoint.sent_frames().len(), 1);
        endpoint.pass(15 * SECOND);
        // Something is written, so that the time of the pause is known.
        endpoint.connection.send_text(endpoint.now, "x").unwrap();
        endpoint.write_all();
        endpoint.connection.pause_reading();
        endpoint.pass(10 * SECOND);
        endpoint.connection.resume_reading(endpoint.now);
        endpoint.run_for(SECOND * 9 / 2);
        assert_eq!(endpoint.connection.state(), State::Open);
        endpoint.run_to_close(SECOND);
        assert_eq!(endpoint.sent_close().0, Some(3008));
    }

    fn pings_go_on_while_reading_is_paused(role) {
        let mut endpoint = Endpoint::with(role, |config| {
            config.idle_timeout = Some(60 * SECOND);
        });
        endpoint.connection.pause_reading();
        let wire = drive_for(&mut endpoint, 300 * SECOND);
        let pings = crate::support::parse_frames(&wire);
        assert!(pings.iter().all(|frame| frame.opcode() == PING));
        assert!((13..=17).contains(&pings.len()), "{}", pings.len());
        endpoint.connection.resume_reading(endpoint.now);
        wake(&mut endpoint);
        assert_eq!(endpoint.connection.state(), State::Open);
    }

    fn pings_go_on_while_nobody_takes_what_was_received(role) {
        let mut endpoint = Endpoint::new(role);
        untaken(&mut endpoint, FIN | TEXT, b"untaken");
        let wire = drive_for(&mut endpoint, 100 * SECOND);
        assert!((4..=6).contains(&crate::support::parse_frames(&wire).len()));
    }

    fn discarded_messages_are_counted_and_the_rest_goes_on(role) {
        let mut endpoint = Endpoint::new(role);
        untaken(&mut endpoint, FIN | TEXT, b"nobody takes it");
        endpoint.connection.discard_messages(endpoint.now);
        assert!(!endpoint.connection.has_pending_input());
        assert_eq!(endpoint.receive_frame(FIN | BINARY, b"nor this"), []);
        let events = endpoint.receive_frame(FIN | PING, b"x");
        assert!(matches!(events[..], [Event::Ping(_)]));
        assert_eq!(endpoint.sent_frames()[0].first, FIN | PONG);
        endpoint.eof();
        assert_eq!((endpoint.ending().cause, endpoint.ending().discarded), (Cause::Eof, 2));
    }

    fn a_dropped_connection_finds_the_answer_behind_discarded_messages(role) {
        let mut endpoint = Endpoint::new(role);
        untaken(&mut endpoint, FIN | TEXT, b"nobody takes it");
        let request = CloseRequest {
            cause: LocalCause::Dropped,
            code: SendCode::GOING_AWAY,
            reason: Reason::EMPTY,
            closed_at: None,
        };
        endpoint.connection.close_with(endpoint.now, request).unwrap();
        endpoint.connection.discard_messages(endpoint.now);
        endpoint.sent_close();
        let mut bytes = endpoint.peer_frame(FIN | TEXT, b"late");
        bytes.extend(endpoint.peer_frame(FIN | crate::support::CLOSE, b"\x03\xE9"));
        assert_eq!(endpoint.receive(&bytes), [Event::Closing]);
        endpoint.eof();
        assert_eq!(endpoint.ending().discarded, 2);
        assert!(endpoint.ending().is_clean());
    }

    fn discarded_text_is_still_checked(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.discard_messages(endpoint.now);
        endpoint.receive_frame(FIN | TEXT, b"\xFF");
        assert_eq!(endpoint.sent_close().0, Some(1007));
    }

    fn the_end_of_the_stream_is_found_behind_what_is_discarded(role) {
        let mut endpoint = Endpoint::new(role);
        untaken(&mut endpoint, FIN | TEXT, b"nobody takes it");
        endpoint.connection.handle_eof(endpoint.now);
        endpoint.connection.discard_messages(endpoint.now);
        assert!(matches!(endpoint.events()[..], [Event::Ended(_)]));
        assert_eq!(endpoint.ending().discarded, 1);
    }

    fn a_broken_rule_found_once_nobody_took_anything_for_too_long_survives_a_move(role) {
        let mut endpoint = Endpoint::with(role, |config| config.keepalive = None);
        untaken(&mut endpoint, FIN | TEXT, b"\xFF");
        endpoint.connection.handle_eof(endpoint.now);
        endpoint.now += 60 * SECOND;
        endpoint.connection.handle_timeout(endpoint.now);
        assert_eq!(endpoint.connection.state(), State::Closing);
        let snapshot = endpoint.connection.export().unwrap();
        let (config, random) = (endpoint.config(), endpoint.random());
        endpoint.connection = Connection::import(config, random, &snapshot).unwrap();
        assert_eq!(endpoint.sent_close().0, Some(1007));
        assert_eq!(endpoint.ending().cause, Cause::InvalidData);
    }

    fn discarding_survives_a_move(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.discard_messages(endpoint.now);
        let snapshot = endpoint.connection.export().unwrap();
        let (config, random) = (endpoint.config(), endpoint.random());
        endpoint.connection = Connection::import(config, random, &snapshot).unwrap();
        assert_eq!(endpoint.receive_frame(FIN | TEXT, b"x"), []);
    }
}

#[test]
fn a_server_whose_application_takes_nothing_closes_cleanly_once_messages_are_discarded() {
    let mut pair = Pair::new();
    pair.server.takes = false;
    let now = pair.now;
    pair.client.connection.send_text(now, "hello").unwrap();
    pair.drive_for(SECOND);
    let now = pair.now;
    let server = &mut pair.server;
    server
        .connection
        .close(now, SendCode::GOING_AWAY, Reason::EMPTY)
        .unwrap();
    server.connection.discard_messages(now);
    server.takes = true;
    pair.drive();
    assert!(pair.server.ending().is_clean());
    assert_eq!(pair.server.ending().discarded, 1);
}
