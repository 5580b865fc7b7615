//! The output queue as a driver sees it.

use std::io::IoSlice;

use bytes::Bytes;
use revoir_proto::{Config, Message, Utf8Bytes};

use crate::support::{BINARY, Endpoint, FIN, TEXT, WireFrame};

role_grid! {
    fn small_frames_leave_in_one_slice(role) {
        let mut endpoint = Endpoint::new(role);
        for _ in 0..10 {
            endpoint.connection.send_text(endpoint.now, "small").unwrap();
        }
        let mut slices = [IoSlice::new(&[]); 8];
        assert_eq!(endpoint.connection.poll_transmit(&mut slices), 1);
        assert_eq!(slices[0].len(), endpoint.connection.queued_bytes());
        assert_eq!(endpoint.sent_frames().len(), 10);
    }

    fn any_write_size_gives_the_same_bytes(role) {
        let large = Bytes::from(vec![5; 10_000]);
        let mut whole = None;
        for size in [usize::MAX, 1, 7, 1_000, 4_096] {
            let mut endpoint = Endpoint::new(role);
            let now = endpoint.now;
            endpoint.connection.send_text(now, "before").unwrap();
            endpoint.connection.send_binary(now, large.clone()).unwrap();
            endpoint.connection.send_text(now, String::from("after")).unwrap();
            let mut wire = Vec::new();
            while endpoint.connection.queued_bytes() > 0 {
                wire.extend(endpoint.write_some(size));
            }
            assert_eq!(whole.get_or_insert_with(|| wire.clone()), &wire, "{size}");
        }
    }

    fn text_of_every_kind_is_the_same_on_the_wire(role) {
        for length in [10, 5_000] {
            let text = "x".repeat(length);
            let mut endpoint = Endpoint::new(role);
            let now = endpoint.now;
            endpoint.connection.send_text(now, &*text).unwrap();
            endpoint.connection.send_text(now, text.clone()).unwrap();
            endpoint.connection.send_text(now, Utf8Bytes::from(&*text)).unwrap();
            let expected = WireFrame::new(role, FIN | TEXT, text.as_bytes());
            assert_eq!(endpoint.sent_frames(), vec![expected; 3]);
        }
    }

    fn a_message_is_sent_as_the_kind_it_is(role) {
        let mut endpoint = Endpoint::new(role);
        for message in [Message::Text("t".into()), Message::Binary(Bytes::from_static(b"b"))] {
            endpoint.connection.send(endpoint.now, message).unwrap();
        }
        assert_eq!(endpoint.sent_frames(), [
            WireFrame::new(role, FIN | TEXT, b"t"),
            WireFrame::new(role, FIN | BINARY, b"b"),
        ]);
    }

    fn more_written_than_queued_does_no_harm(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.send_binary(endpoint.now, b"x").unwrap();
        endpoint.connection.transmitted(endpoint.now, 1_000);
        assert_eq!(endpoint.connection.queued_bytes(), 0);
        endpoint.connection.send_binary(endpoint.now, b"y").unwrap();
        assert_eq!(endpoint.sent_frames(), [WireFrame::new(role, FIN | BINARY, b"y")]);
    }
}

#[test]
fn server_sends_a_large_payload_from_its_own_buffer() {
    let mut server = Endpoint::new(revoir_proto::Role::Server);
    let large = Bytes::from(vec![5; 10_000]);
    server
        .connection
        .send_binary(server.now, large.clone())
        .unwrap();
    let mut slices = [IoSlice::new(&[]); 8];
    assert_eq!(server.connection.poll_transmit(&mut slices), 2);
    assert_eq!(slices[1].as_ptr(), large.as_ptr());
}

#[test]
fn defaults_are_the_documented_ones() {
    let config = Config::default();
    let keepalive = config.keepalive.unwrap();
    assert_eq!(keepalive.interval.as_secs(), 20);
    assert_eq!(keepalive.timeout.as_secs(), 20);
    assert_eq!(config.write_timeout.unwrap().as_secs(), 20);
    assert_eq!(config.close_budget.as_secs(), 5);
    assert_eq!(config.fin_wait.as_secs(), 2);
    assert_eq!(config.take_timeout.unwrap().as_secs(), 60);
    assert_eq!(config.idle_timeout, None);
}
