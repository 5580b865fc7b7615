//! The cases of a probe that WebSocket libraries were put through: one test for each question.

use std::sync::Arc;
use std::time::Duration;

use revoir_proto::{Cause, CloseCode, Ending, Event, Finish, Role, SendCode};

use crate::support::{CLOSE, CONTINUATION, Endpoint, FIN, PONG, TEXT, frame};

/// What the peer does to a connection, and how it is seen.
fn ending_after(role: Role, act: impl FnOnce(&mut Endpoint)) -> Arc<Ending> {
    let mut endpoint = Endpoint::new(role);
    act(&mut endpoint);
    endpoint.write_all();
    endpoint.eof();
    endpoint.ending()
}

role_grid! {
    fn no_two_ways_to_end_look_the_same(role) {
        let frame = |first: u8, payload: &[u8]| frame(role.peer(), first, payload);
        let half = frame(FIN | TEXT, b"half");
        let endings = [
            ending_after(role, |endpoint| drop(endpoint.receive_frame(FIN | CLOSE, b""))),
            ending_after(role, |endpoint| drop(endpoint.receive_close(1000, ""))),
            ending_after(role, |_| ()),
            ending_after(role, |endpoint| drop(endpoint.receive(&half[..half.len() - 1]))),
            ending_after(role, |endpoint| drop(endpoint.reset())),
            ending_after(role, |endpoint| {
                endpoint.connection.handle_tls_truncated(endpoint.now);
            }),
            ending_after(role, |endpoint| drop(endpoint.receive_close(2999, ""))),
            ending_after(role, |endpoint| endpoint.close(SendCode::NORMAL_CLOSURE)),
            ending_after(role, |endpoint| {
                endpoint.close(SendCode::NORMAL_CLOSURE);
                endpoint.write_all();
                endpoint.run_for(Duration::from_secs(5));
            }),
            ending_after(role, |endpoint| drop(endpoint.receive(&frame(FIN | 3, b"")))),
            ending_after(role, |endpoint| drop(endpoint.receive(&frame(FIN | TEXT, b"\xFF")))),
            ending_after(role, |endpoint| {
                endpoint.run_for(Duration::from_secs(23));
                endpoint.write_all();
                endpoint.run_for(Duration::from_secs(20));
            }),
        ];
        for (at, one) in endings.iter().enumerate() {
            for other in &endings[..at] {
                let key = |ending: &Ending| {
 let seen = (ending.cause, ending.finish, ending.code(), ending.in_frame);
 (seen, ending.detail.clone())
 };
                assert_ne!(key(one), key(other));
                assert_ne!(one.to_string(), other.to_string());
            }
        }
    }

    fn a_close_without_a_code_is_1005_and_not_1000(role) {
        let ending = ending_after(role, |endpoint| {
            endpoint.receive_frame(FIN | CLOSE, b"");
        });
        assert_eq!((ending.code(), ending.is_clean()), (CloseCode::NO_STATUS_RCVD, true));
    }

    fn codes_1012_to_1014_pass_untouched(role) {
        for number in 1012..=1014 {
            let ending = ending_after(role, |endpoint| {
                endpoint.receive_close(number, "");
            });
            assert_eq!((ending.code().get(), ending.cause), (number, Cause::ClosedByPeer));
        }
    }

    fn three_bytes_at_a_time_with_a_look_between_is_the_same_as_whole(role) {
        let bytes = [
            frame(role.peer(), FIN | TEXT, "γειά σου".as_bytes()),
            frame(role.peer(), FIN | TEXT, &[b'x'; 200]),
        ]
        .concat();
        let mut endpoint = Endpoint::new(role);
        let mut events = Vec::new();
        for piece in bytes.chunks(3) {
            events.extend(endpoint.receive(piece));
            // A read that was cancelled: the driver looks again, and nothing is there.
            events.extend(endpoint.events());
            endpoint.pass(Duration::from_millis(7));
            endpoint.connection.handle_timeout(endpoint.now);
        }
        assert_eq!(events, [Endpoint::text("γειά σου"), Endpoint::text(&"x".repeat(200))]);
    }

    fn fragments_over_the_limit_fail_once_and_end(role) {
        let mut endpoint = Endpoint::with(role, |config| config.limits.message = 1024);
        let mut events = endpoint.receive_frame(TEXT, &[b'x'; 512]);
        for _ in 0..9 {
            events.extend(endpoint.receive_frame(CONTINUATION, &[b'x'; 512]));
        }
        assert_eq!(events, [Event::Closing]);
        assert_eq!(endpoint.sent_close().0, Some(1009));
        endpoint.eof();
        assert_eq!(endpoint.ending().cause, Cause::MessageTooBig);
    }

    fn a_pong_of_126_bytes_is_refused(role) {
        let ending = ending_after(role, |endpoint| {
            endpoint.receive_frame(FIN | PONG, &[0; 126]);
        });
        assert_eq!(ending.cause, Cause::ProtocolError);
        assert_eq!(ending.sent.map(|frame| frame.code()), Some(CloseCode::PROTOCOL_ERROR));
    }

    fn a_new_text_inside_an_open_message_is_refused(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frame(TEXT, b"first part");
        assert_eq!(endpoint.receive_frame(TEXT, b"another"), [Event::Closing]);
        assert_eq!(endpoint.sent_close().0, Some(1002));
    }

    fn a_close_that_is_never_answered_ends_at_its_budget(role) {
        let ending = ending_after(role, |endpoint| {
            endpoint.close(SendCode::SERVICE_RESTART);
            endpoint.write_all();
            endpoint.run_for(Duration::from_secs(5));
        });
        assert_eq!((ending.finish, ending.open_for), (Finish::Timeout, Duration::from_secs(5)));
    }
}
