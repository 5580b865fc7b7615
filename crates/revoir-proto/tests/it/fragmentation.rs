//! Messages in fragments: RFC 6455 section 5.4.

use revoir_proto::Event;

use crate::support::{BINARY, CONTINUATION, Endpoint, FIN, PING, PONG, TEXT, WireFrame};

role_grid! {
    fn fragments_become_one_message(role) {
        let mut endpoint = Endpoint::new(role);
        assert_eq!(endpoint.receive_frame(TEXT, b"one "), []);
        assert_eq!(endpoint.receive_frame(CONTINUATION, b"two "), []);
        let events = endpoint.receive_frame(FIN | CONTINUATION, b"three");
        assert_eq!(events, [Endpoint::text("one two three")]);
    }

    fn empty_fragments_are_allowed(role) {
        let mut endpoint = Endpoint::new(role);
        assert_eq!(endpoint.receive_frame(BINARY, b""), []);
        assert_eq!(endpoint.receive_frame(CONTINUATION, b""), []);
        assert_eq!(endpoint.receive_frame(FIN | CONTINUATION, b""), [Endpoint::binary(b"")]);
    }

    fn control_frames_between_fragments_are_handled_at_once(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frame(BINARY, b"a");
        let events = endpoint.receive_frame(FIN | PING, b"now");
        assert_eq!(events, [Event::Ping(b"now"[..].into())]);
        assert_eq!(endpoint.sent_frames(), [WireFrame::new(role, FIN | PONG, b"now")]);
        let events = endpoint.receive_frame(FIN | CONTINUATION, b"b");
        assert_eq!(events, [Endpoint::binary(b"ab")]);
    }

    fn many_messages_in_one_read_come_in_order(role) {
        let mut endpoint = Endpoint::new(role);
        let mut bytes = Vec::new();
        for text in ["a", "", "ccc"] {
            bytes.extend(endpoint.peer_frame(FIN | TEXT, text.as_bytes()));
        }
        let expected = [Endpoint::text("a"), Endpoint::text(""), Endpoint::text("ccc")];
        assert_eq!(endpoint.receive(&bytes), expected);
    }

    fn a_message_that_arrives_whole_is_a_slice_of_the_input(role) {
        let mut endpoint = Endpoint::new(role);
        let bytes = endpoint.peer_frame(FIN | BINARY, &[7; 64]);
        let input = bytes::BytesMut::from(&*bytes);
        let range = input.as_ptr_range();
        endpoint.connection.handle_input(endpoint.now, input);
        let messages = endpoint.messages();
        assert!(range.contains(&messages[0].as_bytes().as_ptr()));
    }

    fn every_length_form_is_read(role) {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 200_000] {
            let payload: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let mut endpoint = Endpoint::new(role);
            let events = endpoint.receive_frame(FIN | BINARY, &payload);
            assert_eq!(events, [Endpoint::binary(&payload)], "{length}");
        }
    }

    fn a_ping_is_answered_with_its_payload_and_a_pong_is_reported(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frame(FIN | PING, &[9; 125]);
        assert_eq!(endpoint.sent_frames(), [WireFrame::new(role, FIN | PONG, &[9; 125])]);
        let events = endpoint.receive_frame(FIN | PONG, b"unasked");
        assert_eq!(events, [Event::Pong { payload: b"unasked"[..].into(), rtt: None }]);
        assert_eq!(endpoint.write_all(), b"");
    }

    fn every_ping_of_a_burst_is_answered_in_order(role) {
        let mut endpoint = Endpoint::new(role);
        let mut bytes = Vec::new();
        for number in 0..10_u8 {
            bytes.extend(endpoint.peer_frame(FIN | PING, &[number]));
        }
        endpoint.receive(&bytes);
        let expected: Vec<WireFrame> =
            (0..10_u8).map(|number| WireFrame::new(role, FIN | PONG, &[number])).collect();
        assert_eq!(endpoint.sent_frames(), expected);
    }
}
