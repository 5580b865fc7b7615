//! The end of the transport: each way is told apart. Behind input that nobody took no deadline is
//! lost, no sender waits for ever, and the ending names what came first.

use std::time::Duration;

use bytes::BytesMut;
use revoir_proto::{
    Cause, CloseCode, Detail, Event, Finish, LocalCause, SendCode, State, UsageError,
};

use crate::support::{BINARY, CLOSE, Endpoint, FIN, PING, TEXT, close_payload};

const SECOND: Duration = Duration::from_secs(1);

/// An endpoint with a message that nobody took.
fn with_an_untaken_message(role: revoir_proto::Role) -> Endpoint {
    let mut endpoint = Endpoint::new(role);
    let bytes = endpoint.peer_frame(FIN | TEXT, b"untaken");
    endpoint
        .connection
        .handle_input(endpoint.now, (&bytes[..]).into());
    endpoint
}

role_grid! {
    fn eof_without_a_close_frame_is_an_abnormal_closure(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.pass(60 * SECOND);
        assert!(matches!(endpoint.eof()[..], [Event::Ended(_)]));
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::Eof, Finish::Eof));
        assert_eq!((ending.initiator, ending.in_frame), (None, false));
        assert_eq!(endpoint.write_all(), b"");
        assert_eq!(
            ending.to_string(),
            "1006 Abnormal Closure: the peer's TCP stream ended without a Close frame, \
             60.0 s after its last byte"
        );
    }

    fn eof_inside_a_frame_is_told_apart(role) {
        for cut in 1..8 {
            let mut endpoint = Endpoint::new(role);
            let bytes = endpoint.peer_frame(FIN | TEXT, b"abcdefgh");
            endpoint.receive(&bytes[..cut]);
            endpoint.eof();
            let ending = endpoint.ending();
            assert_eq!((ending.cause, ending.in_frame), (Cause::Eof, true), "{cut}");
            assert!(ending.to_string().ends_with(", inside a frame"));
        }
    }

    fn a_reset_is_told_apart_with_its_number(role) {
        let mut endpoint = Endpoint::new(role);
        assert!(matches!(endpoint.reset()[..], [Event::Ended(_)]));
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::Reset, Finish::Reset));
        assert_eq!(ending.detail, Detail::Os(104));
        assert_eq!(
            ending.to_string(),
            "1006 Abnormal Closure: the connection was reset without a Close frame \
             (os error 104), 0.0 s after its last byte"
        );
    }

    fn tls_that_ends_without_close_notify_is_told_apart(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.handle_tls_truncated(endpoint.now);
        assert_eq!(endpoint.ending().cause, Cause::TlsTruncated);
        assert_eq!(endpoint.ending().code(), CloseCode::ABNORMAL_CLOSURE);
    }

    fn tls_that_ends_without_close_notify_after_both_close_frames_is_clean(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_close(1000, "");
        endpoint.sent_close();
        endpoint.connection.handle_tls_truncated(endpoint.now);
        assert!(endpoint.ending().is_clean());
    }

    fn a_failed_write_is_told_apart_and_counts_what_is_left(role) {
        let mut endpoint = Endpoint::new(role);
        let now = endpoint.now;
        endpoint.connection.send_text(now, "lost").unwrap();
        let queued = endpoint.connection.queued_bytes() as u64;
        endpoint.connection.handle_write_failed(now, Detail::Os(32));
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.unsent), (Cause::WriteFailed, queued));
        assert_eq!(endpoint.write_all(), b"");
    }

    fn a_close_frame_that_was_read_before_a_failed_write_counts(role) {
        let mut endpoint = Endpoint::new(role);
        let bytes = endpoint.peer_frame(FIN | CLOSE, &close_payload(1013, "busy"));
        endpoint.connection.handle_input(endpoint.now, (&bytes[..]).into());
        endpoint.connection.handle_write_failed(endpoint.now, Detail::Os(32));
        assert_eq!(endpoint.write_all(), b"");
        let events = endpoint.events();
        assert!(matches!(events[..], [Event::Closing, Event::Ended(_)]));
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::ClosedByPeer, Finish::Reset));
        assert_eq!((ending.code(), ending.reason()), (CloseCode::TRY_AGAIN_LATER, "busy"));
    }

    fn messages_before_the_end_of_the_stream_are_delivered_first(role) {
        let mut endpoint = Endpoint::new(role);
        let bytes = endpoint.peer_frame(FIN | TEXT, b"last words");
        endpoint.connection.handle_input(endpoint.now, (&bytes[..]).into());
        endpoint.connection.handle_eof(endpoint.now);
        assert!(endpoint.connection.ending().is_none());
        let events = endpoint.events();
        assert_eq!(events[0], Endpoint::text("last words"));
        assert!(matches!(events[1..], [Event::Ended(_)]));
    }

    fn writing_must_progress_behind_the_end_of_the_stream_too(role) {
        let mut endpoint = Endpoint::new(role);
        let bytes = [
            endpoint.peer_frame(FIN | TEXT, b"one"),
            endpoint.peer_frame(FIN | TEXT, b"two"),
        ];
        endpoint.connection.handle_input(endpoint.now, (&bytes.concat()[..]).into());
        endpoint.connection.handle_eof(endpoint.now);
        assert_eq!(endpoint.connection.poll_event(endpoint.now), Some(Endpoint::text("one")));
        endpoint.connection.send_binary(endpoint.now, vec![0; 1_100_000]).unwrap();
        assert!(!endpoint.connection.is_writable());
        endpoint.pass(20 * SECOND);
        assert_eq!(endpoint.connection.poll_timeout(), Some(endpoint.now));
        endpoint.connection.handle_timeout(endpoint.now);
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.discarded), (Cause::WriteTimeout, 1));
        assert!(ending.unsent > 1_100_000);
    }

    fn a_reset_behind_untaken_input_cuts_the_output_and_wakes_a_blocked_sender(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.connection.send_binary(endpoint.now, vec![0; 1_100_000]).unwrap();
        let queued = endpoint.connection.queued_bytes();
        assert!(!endpoint.connection.is_writable());
        let bytes = endpoint.peer_frame(FIN | TEXT, b"untaken");
        endpoint.connection.handle_input(endpoint.now, (&bytes[..]).into());
        endpoint.connection.handle_reset(endpoint.now, Detail::Os(104));
        assert!(endpoint.connection.is_writable());
        let refused = Err(UsageError::TransportLost);
        assert_eq!(endpoint.connection.send_text(endpoint.now, "x"), refused);
        assert_eq!(endpoint.connection.send_binary(endpoint.now, b"x"), refused);
        assert_eq!(endpoint.connection.send_ping(endpoint.now, b"x"), refused);
        assert_eq!(endpoint.write_all(), b"");
        // They have not left: whoever waits for that is not told so.
        assert_eq!(endpoint.connection.queued_bytes(), queued);
        assert_eq!(endpoint.events()[0], Endpoint::text("untaken"));
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.unsent), (Cause::Reset, queued as u64));
    }

    fn what_a_driver_says_it_wrote_after_a_reset_does_not_count(role) {
        let mut endpoint = with_an_untaken_message(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.connection.handle_reset(endpoint.now, Detail::None);
        endpoint.connection.transmitted(endpoint.now, 100);
        endpoint.events();
        assert_eq!(endpoint.ending().sent, None);
        assert!(endpoint.ending().unsent > 0);
    }

    fn untaken_messages_behind_the_end_of_the_stream_are_waited_for_a_minute(role) {
        let mut endpoint = with_an_untaken_message(role);
        endpoint.connection.handle_eof(endpoint.now);
        let events = endpoint.run_for(60 * SECOND);
        assert!(matches!(events[..], [Event::Ended(_)]));
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.discarded), (Cause::Eof, 1));
        assert_eq!(ending.open_for, 60 * SECOND);
    }

    fn an_application_that_takes_messages_slowly_behind_a_reset_gets_them_all(role) {
        let mut endpoint = Endpoint::new(role);
        let bytes = endpoint.peer_frame(FIN | BINARY, b"x").repeat(10);
        endpoint.connection.handle_input(endpoint.now, (&bytes[..]).into());
        endpoint.connection.handle_reset(endpoint.now, Detail::None);
        for _ in 0..10 {
            endpoint.pass(59 * SECOND);
            endpoint.connection.handle_timeout(endpoint.now);
            let event = endpoint.connection.poll_event(endpoint.now);
            assert_eq!(event, Some(Endpoint::binary(b"x")));
        }
        assert!(matches!(endpoint.events()[..], [Event::Ended(_)]));
        assert_eq!((endpoint.ending().cause, endpoint.ending().discarded), (Cause::Reset, 0));
    }

    fn pings_and_a_close_frame_found_behind_a_reset_are_not_answered(role) {
        let mut endpoint = Endpoint::new(role);
        let bytes = [
            endpoint.peer_frame(FIN | PING, b"x"),
            endpoint.peer_frame(FIN | CLOSE, &close_payload(1001, "")),
        ];
        endpoint.connection.handle_input(endpoint.now, (&bytes.concat()[..]).into());
        endpoint.connection.handle_reset(endpoint.now, Detail::None);
        assert_eq!(endpoint.events().len(), 3);
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::ClosedByPeer, Finish::Reset));
        assert_eq!(ending.unsent, 0);
    }

    fn a_close_after_a_reset_keeps_the_reset_as_the_cause(role) {
        let mut endpoint = with_an_untaken_message(role);
        endpoint.connection.handle_reset(endpoint.now, Detail::Os(104));
        endpoint.pass(SECOND);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        assert_eq!(endpoint.connection.state(), State::Closing);
        assert_eq!(endpoint.events()[0], Endpoint::text("untaken"));
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::Reset, Finish::Reset));
        assert_eq!((&ending.detail, ending.unsent), (&Detail::Os(104), 0));
        assert!(ending.closed_at.is_some());
    }

    fn a_close_after_a_reset_is_bounded_by_the_budget(role) {
        let mut endpoint = with_an_untaken_message(role);
        endpoint.connection.handle_reset(endpoint.now, Detail::None);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.run_for(5 * SECOND);
        assert_eq!((endpoint.ending().cause, endpoint.ending().discarded), (Cause::Reset, 1));
    }

    fn the_peers_close_frame_goes_before_the_reset_behind_it(role) {
        let mut endpoint = Endpoint::new(role);
        let bytes = endpoint.peer_frame(FIN | CLOSE, &close_payload(1012, ""));
        endpoint.connection.handle_input(endpoint.now, (&bytes[..]).into());
        endpoint.connection.handle_reset(endpoint.now, Detail::Os(104));
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.events();
        let ending = endpoint.ending();
        assert_eq!((ending.cause, &ending.detail), (Cause::ClosedByPeer, &Detail::None));
        assert_eq!(ending.code().get(), 1012);
    }

    fn an_abort_stays_the_doing_of_the_application_whatever_was_received(role) {
        let peers = Endpoint::new(role);
        let inputs = [
            vec![0xFF; 8],
            peers.peer_frame(FIN | CLOSE, &close_payload(1000, "")),
            peers.peer_frame(FIN | TEXT, b"\xFF"),
        ];
        for garbage in inputs {
            let mut endpoint = with_an_untaken_message(role);
            endpoint.connection.handle_input(endpoint.now, (&garbage[..]).into());
            let line = line!() + 1;
            endpoint.connection.abort(endpoint.now);
            let ending = endpoint.ending();
            assert_eq!((ending.cause, ending.finish), (Cause::ClosedLocally, Finish::Reset));
            assert_eq!((ending.received, ending.discarded), (None, 1));
            assert_eq!(ending.closed_at.as_ref().unwrap().line, line);
            assert!(ending.to_string().contains("transport_end.rs"), "{ending}");
        }
    }

    fn a_frame_whose_text_is_wrong_has_ended_however_it_came(role) {
        let peers = Endpoint::new(role);
        let text = [&[b'a'; 300][..], b"\xFF"].concat();
        let frame = peers.peer_frame(FIN | TEXT, &text);
        for first in [frame.len(), frame.len() - 1] {
            let mut endpoint = Endpoint::new(role);
            // One buffer, so that what has arrived stays where it is.
            let mut rest = BytesMut::from(&frame[..]);
            let start = rest.split_to(first);
            endpoint.connection.handle_input(endpoint.now, start);
            if !rest.is_empty() {
                endpoint.events();
                endpoint.connection.handle_input(endpoint.now, rest);
            }
            endpoint.connection.abort(endpoint.now);
            assert!(!endpoint.ending().in_frame, "{first}");
        }
    }

    fn an_abort_while_closing_keeps_the_cause_and_the_place(role) {
        let mut endpoint = Endpoint::new(role);
        let request = revoir_proto::CloseRequest {
            cause: LocalCause::Drained,
            code: SendCode::SERVICE_RESTART,
            reason: revoir_proto::Reason::EMPTY,
            closed_at: None,
        };
        endpoint.connection.close_with(endpoint.now, request).unwrap();
        endpoint.connection.abort(endpoint.now);
        assert_eq!((endpoint.ending().cause, &endpoint.ending().closed_at), (Cause::Drained, &None));
    }
}
