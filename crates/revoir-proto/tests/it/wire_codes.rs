//! Every number in a Close frame, in and out.

use revoir_proto::{CloseCode, Detail, Event, ProtocolError, Reason, Role, SendCode, UsageError};

use crate::support::{CLOSE, Endpoint, FIN, close_payload};

/// The rule itself is tested where it stands, against another reading of section 7.4.
fn may_stand_in_a_frame(number: u16) -> bool {
    CloseCode::new(number).may_be_received()
}

role_grid! {
    fn all_65536_codes_are_received(role) {
        for number in 0..=u16::MAX {
            let mut endpoint = Endpoint::new(role);
            assert_eq!(endpoint.receive_close(number, "why"), [Event::Closing]);
            let (answer, _) = endpoint.sent_close();
            endpoint.eof();
            let ending = endpoint.ending();
            let code = CloseCode::new(number);
            if may_stand_in_a_frame(number) {
                assert_eq!(answer, Some(number));
                assert_eq!((ending.code(), ending.reason()), (code, "why"));
                assert!(ending.is_clean());
            } else {
                assert_eq!(answer, Some(1002), "{number}");
                let rule = ProtocolError::CloseCodeNotAllowed { code };
                assert_eq!(ending.detail, Detail::Rule(rule));
                assert_eq!(ending.code(), CloseCode::ABNORMAL_CLOSURE);
            }
        }
    }

    fn all_65536_codes_are_sent_or_cannot_be_built(role) {
        for number in 0..=u16::MAX {
            let Ok(code) = SendCode::try_from(number) else {
                assert!(!may_stand_in_a_frame(number), "{number}");
                continue;
            };
            assert!(may_stand_in_a_frame(number), "{number}");
            let mut endpoint = Endpoint::new(role);
            let reason = Reason::new("why").unwrap();
            let closed = endpoint.connection.close(endpoint.now, code, reason);
            if number == 1010 && role == Role::Server {
                assert_eq!(closed, Err(UsageError::MandatoryExtFromServer));
                assert_eq!(endpoint.write_all(), b"");
            } else {
                assert_eq!(closed, Ok(()));
                assert_eq!(endpoint.sent_close(), (Some(number), "why".into()));
            }
        }
    }

    fn a_body_of_no_byte_is_a_close_without_a_code_and_of_one_byte_a_violation(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frame(FIN | CLOSE, b"");
        assert_eq!(endpoint.sent_close().0, None);
        for byte in 0..=u8::MAX {
            let mut endpoint = Endpoint::new(role);
            endpoint.receive_frame(FIN | CLOSE, &[byte]);
            assert_eq!(endpoint.sent_close().0, Some(1002));
        }
    }

    fn a_reason_that_is_not_utf8_is_answered_with_1007(role) {
        let bad: [&[u8]; 4] = [b"\xFF", b"ok\xC3", b"\xED\xA0\x80", b"\xC0\x80"];
        for reason in bad {
            let mut endpoint = Endpoint::new(role);
            let payload = [&[0x03, 0xE8], reason].concat();
            endpoint.receive_frame(FIN | CLOSE, &payload);
            assert_eq!(endpoint.sent_close().0, Some(1007));
            endpoint.eof();
            assert_eq!(endpoint.ending().detail, Detail::Rule(ProtocolError::ReasonNotUtf8));
        }
    }

    fn a_reason_of_123_bytes_is_read_and_one_of_124_cannot_be(role) {
        let longest = "é".repeat(61) + "x";
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_close(1000, &longest);
        endpoint.sent_close();
        endpoint.eof();
        assert_eq!(endpoint.ending().reason(), longest);
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_close(1000, &"é".repeat(62));
        assert_eq!(endpoint.sent_close().0, Some(1002));
        endpoint.eof();
        assert_eq!(endpoint.ending().detail, Detail::Rule(ProtocolError::ControlTooLong));
    }

    fn a_reason_of_123_bytes_is_sent_and_one_of_124_cannot_be_built(role) {
        let longest = "x".repeat(123);
        let mut endpoint = Endpoint::new(role);
        let reason = Reason::new(&longest).unwrap();
        endpoint.connection.close(endpoint.now, SendCode::NORMAL_CLOSURE, reason).unwrap();
        assert_eq!(endpoint.sent_close(), (Some(1000), longest));
        assert!(Reason::new(&"x".repeat(124)).is_err());
    }

    fn a_close_frame_on_the_wire_is_code_then_reason(role) {
        let mut endpoint = Endpoint::new(role);
        let reason = Reason::new("bye").unwrap();
        endpoint.connection.close(endpoint.now, SendCode::BAD_GATEWAY, reason).unwrap();
        let frames = endpoint.sent_frames();
        assert_eq!(frames[0].payload, close_payload(1014, "bye"));
    }
}
