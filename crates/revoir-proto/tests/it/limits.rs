//! Bounds on what a peer can make this endpoint hold.

use revoir_proto::{Cause, Event, Role, UsageError};

use crate::support::{BINARY, CONTINUATION, Endpoint, FIN, PING, PONG, WireFrame};

fn limited(role: Role) -> Endpoint {
    Endpoint::with(role, |config| {
        config.limits.message = 1024;
        config.limits.queue = 1024;
    })
}

role_grid! {
    fn a_message_at_the_limit_passes_and_one_above_fails(role) {
        let mut endpoint = limited(role);
        assert_eq!(endpoint.receive_frame(FIN | BINARY, &[1; 1024]).len(), 1);
        assert_eq!(endpoint.receive_frame(FIN | BINARY, &[1; 1025]), [Event::Closing]);
        assert_eq!(endpoint.sent_close().0, Some(1009));
        endpoint.eof();
        assert_eq!(endpoint.ending().cause, Cause::MessageTooBig);
    }

    fn the_limit_holds_for_the_sum_of_the_fragments(role) {
        let mut endpoint = limited(role);
        assert_eq!(endpoint.receive_frame(BINARY, &[1; 1000]), []);
        assert_eq!(endpoint.receive_frame(CONTINUATION, &[1; 24]), []);
        assert_eq!(endpoint.receive_frame(CONTINUATION, b"x"), [Event::Closing]);
        assert_eq!(endpoint.sent_close().0, Some(1009));
    }

    fn a_header_that_declares_too_much_fails_before_its_payload(role) {
        let mut endpoint = limited(role);
        let bytes = endpoint.peer_frame(FIN | BINARY, &[1; 1025]);
        let header = bytes.len() - 1025;
        assert_eq!(endpoint.receive(&bytes[..header]), [Event::Closing]);
        assert_eq!(endpoint.sent_close().0, Some(1009));
    }

    fn the_largest_length_is_refused_without_overflow(role) {
        let mut endpoint = limited(role);
        endpoint.receive_frame(BINARY, &[1; 1000]);
        let mask = if role == Role::Server { 0x80 } else { 0 };
        let mut bytes = vec![FIN, mask | 127, 0x7F];
        bytes.extend([0xFF; 7]);
        bytes.extend([0; 4]);
        assert_eq!(endpoint.receive(&bytes), [Event::Closing]);
        assert_eq!(endpoint.sent_close().0, Some(1009));
    }

    fn the_queue_refuses_at_its_high_water_mark_and_recovers(role) {
        let mut endpoint = limited(role);
        let now = endpoint.now;
        while endpoint.connection.is_writable() {
            endpoint.connection.send_binary(now, &[0; 100]).unwrap();
        }
        let queued = endpoint.connection.queued_bytes();
        assert!((1024..1024 + 110).contains(&queued));
        let refused = Err(UsageError::QueueFull { queued, allowed: 1024 });
        assert_eq!(endpoint.connection.send_text(now, "x"), refused);
        assert_eq!(endpoint.connection.send_ping(now, b"x"), refused);
        endpoint.write_some(200);
        assert!(endpoint.connection.is_writable());
        assert_eq!(endpoint.connection.send_text(now, "x"), Ok(()));
    }

    fn a_ping_of_126_bytes_is_refused_to_the_caller(role) {
        let mut endpoint = limited(role);
        let refused = endpoint.connection.send_ping(endpoint.now, &[0; 126]);
        assert_eq!(refused, Err(UsageError::PingTooLong { length: 126 }));
        assert_eq!(endpoint.connection.send_ping(endpoint.now, &[0; 125]), Ok(()));
    }

    fn a_flood_of_pings_leaves_one_pong_waiting_while_nothing_is_written(role) {
        let mut endpoint = Endpoint::new(role);
        for number in 0..10_000_u32 {
            endpoint.receive_frame(FIN | PING, &number.to_be_bytes());
        }
        assert!(endpoint.connection.queued_bytes() < 4_096 + 16);
        let frames = endpoint.sent_frames();
        let last = WireFrame::new(role, FIN | PONG, &9_999_u32.to_be_bytes());
        assert_eq!(frames.last(), Some(&last));
        assert!(frames.len() < 1_000);
    }
}
