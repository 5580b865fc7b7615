//! "Fail the WebSocket Connection": each broken rule, its code, and what comes after.

use std::time::Duration;

use revoir_proto::{
    Cause, CloseCode, Detail, Event, Finish, Initiator, ProtocolError, Role, SendCode, State,
};

use crate::support::{
    BINARY, CLOSE, CONTINUATION, Endpoint, FIN, PING, PONG, RSV1, TEXT, close_payload, frame,
};

const SECOND: Duration = Duration::from_secs(1);

/// Every rule but the ones on masks: bytes that break it, as `sender` would send them.
fn violations(sender: Role) -> Vec<(Vec<u8>, ProtocolError)> {
    let frame = |first, payload: &[u8]| frame(sender, first, payload);
    let mask = if sender == Role::Client { 0x80 } else { 0 };
    let mut list = Vec::new();
    for bits in 1..8_u8 {
        for opcode in [TEXT, BINARY, CLOSE, PING, PONG] {
            let bytes = frame(FIN | bits << 4 | opcode, b"");
            list.push((bytes, ProtocolError::ReservedBits { bits }));
        }
    }
    for opcode in (3..8).chain(11..16) {
        list.push((
            frame(FIN | opcode, b""),
            ProtocolError::ReservedOpcode { opcode },
        ));
    }
    for opcode in [CLOSE, PING, PONG] {
        list.push((frame(opcode, b""), ProtocolError::FragmentedControl));
        for length in [126, 127, 70_000] {
            let bytes = frame(FIN | opcode, &vec![0; length]);
            list.push((bytes, ProtocolError::ControlTooLong));
        }
    }
    for length in [0, 1, 125] {
        let bytes = vec![FIN | BINARY, mask | 126, 0, length];
        list.push((bytes, ProtocolError::LengthNotMinimal));
        let bytes = vec![FIN | BINARY, mask | 127, 0, 0, 0, 0, 0, 0, length, 0xFF];
        list.push((bytes, ProtocolError::LengthNotMinimal));
    }
    list.push((
        vec![FIN | BINARY, mask | 127, 0x80],
        ProtocolError::LengthTooLarge,
    ));
    list.push((
        frame(FIN | CONTINUATION, b"x"),
        ProtocolError::ContinuationUnexpected,
    ));
    list.push((
        frame(CONTINUATION, b"x"),
        ProtocolError::ContinuationUnexpected,
    ));
    for second in [TEXT, FIN | TEXT, BINARY, FIN | BINARY] {
        let mut bytes = frame(TEXT, b"x");
        bytes.extend(frame(second, b"y"));
        list.push((bytes, ProtocolError::ContinuationMissing));
    }
    list.push((frame(FIN | CLOSE, b"\x03"), ProtocolError::CloseTooShort));
    let bad = [0, 999, 1004, 1005, 1006, 1015, 2000, 2999, 5000, 65_535];
    for code in bad.map(CloseCode::new) {
        let bytes = frame(FIN | CLOSE, &close_payload(code.get(), "x"));
        list.push((bytes, ProtocolError::CloseCodeNotAllowed { code }));
    }
    list.push((frame(FIN | TEXT, b"a\xFF"), ProtocolError::TextNotUtf8));
    list.push((frame(FIN | TEXT, b"\xE9\x87"), ProtocolError::TextNotUtf8));
    list.push((
        frame(FIN | CLOSE, b"\x03\xE8\xFF"),
        ProtocolError::ReasonNotUtf8,
    ));
    let (got, allowed) = (1025, 1024);
    list.push((
        frame(FIN | BINARY, &[0; 1025]),
        ProtocolError::MessageTooBig { got, allowed },
    ));
    list
}

fn limited(role: Role) -> Endpoint {
    Endpoint::with(role, |config| config.limits.message = 1024)
}

role_grid! {
    fn a_rule_broken_after_our_close_is_kept_beside_the_cause(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.close(SendCode::NORMAL_CLOSURE);
        endpoint.sent_close();
        endpoint.receive_close(2999, "");
        assert_eq!(endpoint.write_all(), b"");
        endpoint.eof();
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::ClosedLocally, Finish::Eof));
        let rule = ProtocolError::CloseCodeNotAllowed { code: CloseCode::new(2999) };
        assert_eq!(ending.detail, Detail::Rule(rule));
        assert!(ending.to_string().contains(
            "closed with 1000 Normal Closure, the peer then broke a rule: code 2999"
        ), "{ending}");
    }

    fn each_violation_sends_its_one_close_code_and_says_which_rule(role) {
        for (bytes, error) in violations(role.peer()) {
            let mut endpoint = limited(role);
            let events = endpoint.receive(&bytes);
            assert_eq!(events.last(), Some(&Event::Closing), "{error:?}");
            let (code, reason) = endpoint.sent_close();
            assert_eq!(code, Some(error.close_code().get()), "{error:?}");
            assert_eq!(reason, format!("{error} ({})", error.section()));
            assert!(matches!(endpoint.eof()[..], [Event::Ended(_)]));
            let ending = endpoint.ending();
            assert_eq!(ending.detail, Detail::Rule(error));
            assert_eq!((ending.cause, ending.finish), (error.cause(), Finish::Eof));
            assert_eq!(ending.code(), CloseCode::ABNORMAL_CLOSURE);
            assert_eq!(ending.initiator, Some(Initiator::Local));
            assert_eq!(ending.sent.unwrap().code(), error.close_code().code());
            assert_eq!(ending.received, None);
            assert!(ending.to_string().contains(error.section()), "{ending}");
        }
    }

    fn the_sentence_does_not_blame_the_peer_for_an_answer_that_was_not_read(role) {
        let mut endpoint = limited(role);
        endpoint.receive_frame(FIN | BINARY, &[0; 2000]);
        assert_eq!(endpoint.sent_close().0, Some(1009));
        endpoint.receive_close(1009, "");
        endpoint.eof();
        let text = endpoint.ending().to_string();
        assert!(text.ends_with("closed with 1009 Message Too Big and did not wait for a reply"), "{text}");
    }

    fn the_cause_follows_from_the_code(role) {
        for (_, error) in violations(role.peer()) {
            let expected = match error.close_code().get() {
                1002 => Cause::ProtocolError,
                1007 => Cause::InvalidData,
                1009 => Cause::MessageTooBig,
                code => panic!("{code}"),
            };
            assert_eq!(error.cause(), expected);
        }
    }

    fn input_after_a_violation_is_thrown_away(role) {
        for (bytes, error) in violations(role.peer()) {
            let mut endpoint = limited(role);
            endpoint.receive(&bytes);
            assert!(endpoint.connection.wants_drain(), "{error:?}");
            assert_eq!(endpoint.receive_frame(FIN | TEXT, b"more"), []);
            assert_eq!(endpoint.receive_close(1000, ""), []);
            assert_eq!(endpoint.receive_frame(FIN | PING, b"more"), []);
            endpoint.sent_close();
        }
    }

    fn a_violation_after_our_close_sends_no_second_one(role) {
        for (bytes, error) in violations(role.peer()) {
            let mut endpoint = limited(role);
            endpoint.close(SendCode::NORMAL_CLOSURE);
            endpoint.sent_close();
            assert_eq!(endpoint.receive(&bytes).last(), Some(&Event::Closing), "{error:?}");
            assert_eq!(endpoint.write_all(), b"");
            endpoint.eof();
            let ending = endpoint.ending();
            assert_eq!((ending.cause, ending.finish), (Cause::ClosedLocally, Finish::Eof));
        }
    }

    fn messages_before_a_violation_are_delivered(role) {
        let mut endpoint = Endpoint::new(role);
        let mut bytes = endpoint.peer_frame(FIN | TEXT, b"good");
        bytes.extend(endpoint.peer_frame(FIN | 3, b"bad"));
        assert_eq!(endpoint.receive(&bytes), [Endpoint::text("good"), Event::Closing]);
    }

    fn the_close_frame_of_a_failure_leaves_before_an_early_eof_ends_it(role) {
        let mut endpoint = Endpoint::new(role);
        let bytes = endpoint.peer_frame(FIN | 3, b"bad");
        endpoint.connection.handle_input(endpoint.now, (&bytes[..]).into());
        endpoint.connection.handle_eof(endpoint.now);
        assert_eq!(endpoint.events(), [Event::Closing]);
        assert_eq!(endpoint.sent_close().0, Some(1002));
        assert!(matches!(endpoint.events()[..], [Event::Ended(_)]));
    }

    fn a_failure_whose_peer_stays_ends_at_the_deadline(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frame(FIN | 3, b"bad");
        endpoint.sent_close();
        assert_eq!(endpoint.connection.wants_shutdown_write(), role == Role::Server);
        endpoint.run_for(5 * SECOND);
        let ending = endpoint.ending();
        assert_eq!((ending.cause, ending.finish), (Cause::ProtocolError, Finish::Timeout));
        let waited = if role == Role::Client { 2 } else { 5 };
        assert_eq!(ending.open_for, waited * SECOND);
    }

    fn an_illegal_close_code_is_answered_with_1002_and_kept(role) {
        let mut endpoint = Endpoint::new(role);
        assert_eq!(endpoint.receive_close(2999, "x"), [Event::Closing]);
        assert_eq!(endpoint.sent_close().0, Some(1002));
        endpoint.eof();
        let code = CloseCode::new(2999);
        let expected = Detail::Rule(ProtocolError::CloseCodeNotAllowed { code });
        assert_eq!(endpoint.ending().detail, expected);
        assert!(endpoint.ending().to_string().contains("code 2999"));
    }

    fn a_reserved_bit_without_an_extension_is_refused_on_every_fragment(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frame(TEXT, b"x");
        endpoint.receive_frame(FIN | RSV1 | CONTINUATION, b"y");
        assert_eq!(endpoint.sent_close().0, Some(1002));
        assert_eq!(endpoint.connection.state(), State::Closing);
    }
}

#[test]
fn server_refuses_an_unmasked_frame() {
    let mut server = Endpoint::new(Role::Server);
    assert_eq!(
        server.receive(&frame(Role::Server, FIN | TEXT, b"x")),
        [Event::Closing]
    );
    assert_eq!(server.sent_close().0, Some(1002));
    server.eof();
    assert_eq!(
        server.ending().detail,
        Detail::Rule(ProtocolError::MaskMissing)
    );
}

#[test]
fn client_refuses_a_masked_frame() {
    let mut client = Endpoint::new(Role::Client);
    assert_eq!(
        client.receive(&frame(Role::Client, FIN | TEXT, b"x")),
        [Event::Closing]
    );
    assert_eq!(client.sent_close().0, Some(1002));
    client.eof();
    assert_eq!(
        client.ending().detail,
        Detail::Rule(ProtocolError::MaskUnexpected)
    );
}
