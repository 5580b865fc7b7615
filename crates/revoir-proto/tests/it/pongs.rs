//! Pongs: at once while little is queued, one at a time beyond (RFC 6455 sections 5.5.2 and 5.5.3).

use std::time::Duration;

use revoir_proto::{Connection, Event};

use crate::support::{Endpoint, FIN, PING, PONG, TEXT, WireFrame, parse_frames};

const SECOND: Duration = Duration::from_secs(1);

fn pongs(wire: &[u8]) -> Vec<Vec<u8>> {
    let frames = parse_frames(wire).into_iter();
    let pongs = frames.filter(|frame| frame.opcode() == PONG);
    pongs.map(|frame| frame.payload).collect()
}

role_grid! {
    fn each_ping_of_a_short_burst_gets_its_own_pong(role) {
        let mut endpoint = Endpoint::new(role);
        let burst: Vec<u8> = (0..10).flat_map(|n| endpoint.peer_frame(FIN | PING, &[n])).collect();
        endpoint.receive(&burst);
        let expected = (0..10).map(|n| WireFrame::new(role, FIN | PONG, &[n])).collect::<Vec<_>>();
        assert_eq!(endpoint.sent_frames(), expected);
    }

    fn a_pong_does_not_wait_for_an_application_that_keeps_the_queue_full(role) {
        let mut endpoint = Endpoint::with(role, |config| config.keepalive = None);
        endpoint.connection.send_binary(endpoint.now, vec![0; 20_000]).unwrap();
        endpoint.receive_frame(FIN | PING, b"alive?");
        let mut wire = Vec::new();
        for _ in 0..60 {
            endpoint.pass(SECOND);
            while endpoint.connection.queued_bytes() < 16_000 {
                endpoint.connection.send_binary(endpoint.now, vec![0; 8_000]).unwrap();
            }
            wire.extend(endpoint.write_some(8_000));
        }
        wire.extend(endpoint.write_all());
        let at = parse_frames(&wire).iter().position(|frame| frame.opcode() == PONG);
        assert_eq!(at, Some(1));
    }

    fn behind_a_queued_pong_only_the_latest_one_waits_and_follows_when_it_has_left(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.send_binary(endpoint.now, vec![0; 20_000]).unwrap();
        for number in 0..200_u8 {
            endpoint.receive_frame(FIN | PING, &[number]);
        }
        let until_first = endpoint.connection.queued_bytes();
        endpoint.connection.send_binary(endpoint.now, vec![0; 20_000]).unwrap();
        let mut wire = endpoint.write_some(until_first);
        assert_eq!(pongs(&wire), [[0]]);
        // Another one may be queued again, and only one.
        endpoint.receive_frame(FIN | PING, b"next");
        endpoint.connection.send_text(endpoint.now, "after").unwrap();
        wire.extend(endpoint.write_all());
        assert_eq!(pongs(&wire), [&[0][..], &[199], b"next"]);
    }

    fn the_place_of_the_last_pong_survives_a_move(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.send_binary(endpoint.now, vec![0; 20_000]).unwrap();
        endpoint.receive_frame(FIN | PING, b"first");
        let snapshot = endpoint.connection.export().unwrap();
        let (config, random) = (endpoint.config(), endpoint.random());
        endpoint.connection = Connection::import(config, random, &snapshot).unwrap();
        endpoint.receive_frame(FIN | PING, b"second");
        endpoint.receive_frame(FIN | PING, b"third");
        assert_eq!(pongs(&endpoint.write_all()), [&b"first"[..], b"third"]);
    }

    fn the_round_trip_ends_when_the_input_with_the_pong_arrives(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.run_for(23 * SECOND);
        let ping = endpoint.sent_frames().remove(0);
        endpoint.pass(SECOND / 10);
        let pong = endpoint.peer_frame(FIN | PONG, &ping.payload);
        endpoint.connection.handle_input(endpoint.now, (&pong[..]).into());
        endpoint.pass(SECOND);
        let text = endpoint.peer_frame(FIN | TEXT, b"x");
        endpoint.connection.handle_input(endpoint.now, (&text[..]).into());
        endpoint.pass(SECOND);
        let events = endpoint.events();
        assert!(matches!(events[0], Event::Pong { rtt: Some(rtt), .. } if rtt == SECOND / 10));
        assert_eq!(endpoint.connection.rtt(), Some(SECOND / 10));
    }
}
