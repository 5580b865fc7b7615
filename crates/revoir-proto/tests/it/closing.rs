//! The closing handshake: RFC 6455 sections 5.5.1 and 7.1.

use std::time::Duration;

use revoir_proto::{
    CallSite, Cause, CloseCode, CloseRequest, Event, Finish, Initiator, LocalCause, Reason,
    SendCode, State, UsageError,
};

use crate::support::{CLOSE, Endpoint, FIN, PING, TEXT, WireFrame, close_payload};

const SECOND: Duration = Duration::from_secs(1);

role_grid! {
    fn receives_close_then_sends_close_with_the_same_code(role) {
        let mut endpoint = Endpoint::new(role);
        assert_eq!(endpoint.receive_close(1012, "see you"), [Event::Closing]);
        assert_eq!(endpoint.connection.state(), State::Closing);
        assert_eq!(endpoint.sent_close(), (Some(1012), String::new()));
        assert!(matches!(endpoint.eof()[..], [Event::Ended(_)]));
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::ClosedByPeer, Finish::Answered));
        assert_eq!((ending.code(), ending.reason()), (CloseCode::SERVICE_RESTART, "see you"));
        assert_eq!(ending.initiator, Some(Initiator::Remote));
        assert_eq!(ending.sent_first(), Some(false));
        assert!(ending.is_clean());
        assert_eq!(
            ending.to_string(),
            "1012 Service Restart: the peer closed first (\"see you\"), we answered"
        );
    }

    fn receives_an_empty_close_then_sends_an_empty_close(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frame(FIN | CLOSE, b"");
        assert_eq!(endpoint.sent_close(), (None, String::new()));
        endpoint.eof();
        let ending = endpoint.ending();
        assert_eq!(ending.code(), CloseCode::NO_STATUS_RCVD);
        assert_eq!(ending.received.unwrap().wire_code(), None);
        assert!(ending.is_clean());
    }

    fn sends_close_then_receives_close(role) {
        let mut endpoint = Endpoint::new(role);
        let reason = Reason::new("done").unwrap();
        endpoint.connection.close(endpoint.now, SendCode::NORMAL_CLOSURE, reason).unwrap();
        assert_eq!(endpoint.connection.state(), State::Closing);
        assert_eq!(endpoint.sent_close(), (Some(1000), "done".into()));
        assert_eq!(endpoint.receive_close(1000, ""), [Event::Closing]);
        assert_eq!(endpoint.write_all(), b"");
        endpoint.eof();
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::ClosedLocally, Finish::Answered));
        assert_eq!(ending.initiator, Some(Initiator::Local));
        assert_eq!(ending.sent_first(), Some(true));
        assert!(ending.closed_at.as_ref().unwrap().file.ends_with("closing.rs"));
        assert!(ending.to_string().starts_with(
            "1000 Normal Closure: we closed with 1000 Normal Closure \"done\", the peer answered (called at "
        ));
    }

    fn an_answer_with_another_code_is_named(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.sent_close();
        assert_eq!(endpoint.receive_close(1012, "deploying"), [Event::Closing]);
        endpoint.eof();
        let text = endpoint.ending().to_string();
        let answered = "the peer answered with 1012 Service Restart \"deploying\"";
        assert!(text.starts_with("1012 Service Restart: we closed with 1000 Normal Closure, "), "{text}");
        assert!(text.contains(answered), "{text}");
    }

    fn a_second_close_is_refused_and_sends_nothing(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.sent_close();
        let again =
            endpoint.connection.close(endpoint.now, SendCode::GOING_AWAY, Reason::EMPTY);
        assert_eq!(again, Err(UsageError::NotOpen { state: State::Closing }));
        assert_eq!(endpoint.write_all(), b"");
    }

    fn messages_after_our_close_are_delivered_until_the_peers_close(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        assert_eq!(endpoint.receive_frame(FIN | TEXT, b"late"), [Endpoint::text("late")]);
        endpoint.receive_close(1000, "");
        assert_eq!(endpoint.receive_frame(FIN | TEXT, b"too late"), []);
    }

    fn a_ping_after_our_close_is_not_answered(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.sent_close();
        assert_eq!(endpoint.receive_frame(FIN | PING, b"x").len(), 1);
        assert_eq!(endpoint.write_all(), b"");
    }

    fn nothing_can_be_sent_after_our_close(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        let refused = Err(UsageError::NotOpen { state: State::Closing });
        let now = endpoint.now;
        assert_eq!(endpoint.connection.send_text(now, "x"), refused);
        assert_eq!(endpoint.connection.send_binary(now, b"x"), refused);
        assert_eq!(endpoint.connection.send_ping(now, b"x"), refused);
        assert!(!endpoint.connection.is_writable());
    }

    fn data_after_the_peers_close_is_thrown_away_even_when_it_breaks_rules(role) {
        let mut endpoint = Endpoint::new(role);
        let mut bytes = endpoint.peer_frame(FIN | CLOSE, &close_payload(1001, ""));
        bytes.extend([0xFF; 40]);
        assert_eq!(endpoint.receive(&bytes), [Event::Closing]);
        assert!(endpoint.connection.wants_drain());
        assert_eq!(endpoint.receive(&[0xFF; 40]), []);
        assert_eq!(endpoint.sent_close().0, Some(1001));
        endpoint.eof();
        assert_eq!(endpoint.ending().code(), CloseCode::GOING_AWAY);
    }

    fn our_close_follows_what_was_queued_before(role) {
        let mut endpoint = Endpoint::new(role);
        let now = endpoint.now;
        endpoint.connection.send_text(now, "first").unwrap();
        endpoint.close(SendCode::GOING_AWAY);
        assert_eq!(endpoint.sent_frames(), [
            WireFrame::new(role, FIN | TEXT, b"first"),
            WireFrame::new(role, FIN | CLOSE, &close_payload(1001, "")),
        ]);
    }

    fn an_unanswered_close_ends_at_the_budget_whatever_the_peer_sends(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.sent_close();
        let mut delivered = 0;
        for _ in 0..49 {
            endpoint.run_for(SECOND / 10);
            delivered += endpoint.receive_frame(FIN | TEXT, b"flood").len();
        }
        assert_eq!(delivered, 49);
        assert_eq!(endpoint.connection.state(), State::Closing);
        let events = endpoint.run_for(SECOND / 10);
        assert!(matches!(events[..], [Event::Ended(_)]));
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::ClosedLocally, Finish::Timeout));
        assert_eq!(ending.code(), CloseCode::ABNORMAL_CLOSURE);
        assert_eq!((ending.open_for, ending.idle_for), (5 * SECOND, SECOND / 10));
        assert!(!ending.is_clean());
        assert!(ending.to_string().contains("the peer did not answer in time"));
    }

    fn a_stream_that_ends_after_our_close_keeps_the_cause(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.sent_close();
        endpoint.eof();
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::ClosedLocally, Finish::Eof));
        assert_eq!(ending.code(), CloseCode::ABNORMAL_CLOSURE);
        assert!(ending.to_string().contains("did not answer before its TCP stream ended"));
    }

    fn a_reset_after_our_close_keeps_the_cause(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.sent_close();
        endpoint.reset();
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::ClosedLocally, Finish::Reset));
        assert!(ending.to_string().contains("before the connection was closed"));
    }

    fn a_reset_after_both_close_frames_changes_nothing(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_close(1000, "");
        endpoint.sent_close();
        endpoint.reset();
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::ClosedByPeer, Finish::Answered));
        assert!(ending.is_clean());
    }

    fn a_reset_before_our_answer_left_is_not_clean(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_close(1000, "");
        endpoint.reset();
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::ClosedByPeer, Finish::Reset));
        assert_eq!((ending.code(), ending.sent), (CloseCode::NORMAL_CLOSURE, None));
        assert!(!ending.is_clean());
        assert!(ending.unsent > 0);
        assert!(ending.to_string().contains("our reply was not sent"));
    }

    fn a_stream_that_ends_before_our_answer_left_waits_for_it(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_close(1000, "");
        assert_eq!(endpoint.eof(), []);
        assert_eq!(endpoint.sent_close().0, Some(1000));
        assert!(matches!(endpoint.events()[..], [Event::Ended(_)]));
        assert!(endpoint.ending().is_clean());
    }

    fn both_sides_close_at_once_and_each_sends_one_frame(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.receive_close(1001, "");
        assert_eq!(endpoint.sent_close().0, Some(1000));
        endpoint.eof();
        let ending = endpoint.ending();
        assert_eq!(ending.cause, Cause::ClosedLocally);
        assert_eq!(ending.code(), CloseCode::GOING_AWAY);
        assert!(ending.is_clean());
    }

    fn a_close_frame_that_arrived_before_ours_was_written_was_sent_first(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.receive_close(1001, "");
        endpoint.sent_close();
        endpoint.eof();
        let ending = endpoint.ending();
        assert_eq!((ending.sent_first(), ending.crossed), (Some(false), true));
        assert!(ending.to_string().starts_with(
            "1001 Going Away: we closed with 1000 Normal Closure, both closed at once"
        ), "{ending}");
    }

    fn a_close_frame_that_waited_behind_a_message_while_ours_was_written_was_sent_first(role) {
        let mut endpoint = Endpoint::new(role);
        let mut bytes = endpoint.peer_frame(FIN | TEXT, b"x");
        bytes.extend(endpoint.peer_frame(FIN | CLOSE, &close_payload(1001, "")));
        endpoint.connection.handle_input(endpoint.now, (&bytes[..]).into());
        endpoint.pass(SECOND);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.sent_close();
        endpoint.events();
        endpoint.eof();
        assert_eq!(endpoint.ending().sent_first(), Some(false));
    }

    fn a_close_with_1010_is_answered_with_1010_by_either_side(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_close(1010, "");
        assert_eq!(endpoint.sent_close().0, Some(1010));
    }

    fn messages_nobody_took_are_counted_at_the_budget(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.sent_close();
        let frame = endpoint.peer_frame(FIN | TEXT, b"x");
        for _ in 0..3 {
            endpoint.connection.handle_input(endpoint.now, (&frame[..]).into());
        }
        endpoint.pass(5 * SECOND);
        endpoint.connection.handle_timeout(endpoint.now);
        assert_eq!(endpoint.ending().discarded, 3);
        assert_eq!(endpoint.ending().finish, Finish::Timeout);
    }

    fn an_answer_behind_messages_nobody_took_is_found_at_the_budget(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.sent_close();
        let mut bytes = endpoint.peer_frame(FIN | TEXT, b"x");
        bytes.extend(endpoint.peer_frame(FIN | CLOSE, &close_payload(1000, "")));
        endpoint.connection.handle_input(endpoint.now, (&bytes[..]).into());
        endpoint.pass(5 * SECOND);
        endpoint.connection.handle_timeout(endpoint.now);
        let ending = endpoint.ending();
        assert_eq!((ending.discarded, ending.finish), (1, Finish::Answered));
        assert!(ending.is_clean());
    }

    fn queued_output_that_outlives_the_budget_is_cut_and_counted(role) {
        let mut endpoint = Endpoint::new(role);
        let now = endpoint.now;
        endpoint.connection.send_binary(now, &[0; 100]).unwrap();
        endpoint.close(SendCode::NORMAL_CLOSURE);
        let queued = endpoint.connection.queued_bytes();
        endpoint.write_some(10);
        endpoint.run_for(5 * SECOND);
        let ending = endpoint.ending();
        assert_eq!((ending.unsent, ending.sent), (queued as u64 - 10, None));
        assert_eq!(ending.finish, Finish::Timeout);
        assert!(ending.to_string().contains("no Close frame was sent in time"));
        assert_eq!(endpoint.connection.queued_bytes(), 0);
    }

    fn an_abort_ends_at_once_without_a_close_frame(role) {
        let mut endpoint = Endpoint::new(role);
        let frame = endpoint.peer_frame(FIN | TEXT, b"x");
        endpoint.connection.handle_input(endpoint.now, (&frame[..]).into());
        endpoint.connection.abort(endpoint.now);
        assert_eq!(endpoint.write_all(), b"");
        assert!(matches!(endpoint.events()[..], [Event::Ended(_)]));
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::ClosedLocally, Finish::Reset));
        assert_eq!(ending.discarded, 1);
    }

    fn the_causes_of_a_driver_are_kept(role) {
        for cause in [LocalCause::Drained, LocalCause::Dropped, LocalCause::HandlerFailed] {
            let mut endpoint = Endpoint::new(role);
            let closed_at = Some(CallSite { file: "app.rs".into(), line: 3, column: 9 });
            let request = CloseRequest {
                cause,
                code: SendCode::SERVICE_RESTART,
                reason: Reason::new("restart").unwrap(),
                closed_at: closed_at.clone(),
            };
            endpoint.connection.close_with(endpoint.now, request).unwrap();
            assert_eq!(endpoint.sent_close(), (Some(1012), "restart".into()));
            endpoint.receive_close(1012, "");
            endpoint.eof();
            let ending = endpoint.ending();
            assert_eq!((ending.cause, &ending.closed_at), (cause.into(), &closed_at));
            assert!(ending.to_string().contains("closed with 1012"), "{ending}");
        }
    }

    fn the_ending_comes_once_and_stays(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.eof();
        let first = endpoint.ending();
        assert_eq!(endpoint.eof(), []);
        assert_eq!(endpoint.reset(), []);
        assert_eq!(endpoint.receive_close(1000, ""), []);
        endpoint.connection.abort(endpoint.now);
        endpoint.run_for(100 * SECOND);
        assert_eq!(endpoint.ending(), first);
        assert_eq!(endpoint.connection.poll_timeout(), None);
        assert_eq!(endpoint.connection.state(), State::Closed);
    }

    fn the_two_frames_can_be_seen_while_closing(role) {
        let mut endpoint = Endpoint::new(role);
        assert!(endpoint.connection.closing().is_none());
        endpoint.close(SendCode::NORMAL_CLOSURE);
        let closing = endpoint.connection.closing().unwrap();
        assert_eq!((closing.written, closing.received), (false, None));
        endpoint.sent_close();
        endpoint.receive_close(1000, "");
        let closing = endpoint.connection.closing().unwrap();
        assert!(closing.is_exchanged() && closing.is_settled());
        assert_eq!(closing.sent.code(), CloseCode::NORMAL_CLOSURE);
    }
}
