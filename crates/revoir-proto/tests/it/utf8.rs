//! Text is UTF-8: RFC 6455 section 8.1.

use revoir_proto::{Detail, Event, ProtocolError};

use crate::support::{BINARY, CONTINUATION, Endpoint, FIN, PING, TEXT};

const TEXTS: [&str; 4] = ["", "plain", "καλημέρα κόσμε", "a\u{10FFFF}\u{1F600}z重启"];

/// Each ends with its first bad byte.
const BAD: [&[u8]; 9] = [
    b"\x80",
    b"ok\xFF",
    b"\xC0",
    b"\xE0\x80",
    b"\xED\xA0",
    b"\xF0\x80",
    b"\xF4\x90",
    b"\xC3(",
    b"\xE9\x87\xC0",
];

role_grid! {
    fn code_points_split_over_fragments_are_right(role) {
        for text in TEXTS {
            for cut in 0..=text.len() {
                let (head, tail) = text.as_bytes().split_at(cut);
                let mut endpoint = Endpoint::new(role);
                assert_eq!(endpoint.receive_frame(TEXT, head), []);
                endpoint.receive_frame(FIN | PING, b"between");
                let events = endpoint.receive_frame(FIN | CONTINUATION, tail);
                assert_eq!(events, [Endpoint::text(text)], "{text} {cut}");
            }
        }
    }

    fn the_first_bad_byte_fails_inside_an_unfinished_frame(role) {
        for bad in BAD {
            let mut payload = bad.to_vec();
            payload.extend([b'x'; 200]);
            let mut endpoint = Endpoint::new(role);
            let bytes = endpoint.peer_frame(TEXT, &payload);
            let until_bad = bytes.len() - 200;
            assert_eq!(endpoint.receive(&bytes[..until_bad - 1]), [], "{bad:x?}");
            assert_eq!(endpoint.receive(&bytes[until_bad - 1..until_bad]), [Event::Closing]);
            assert_eq!(endpoint.sent_close().0, Some(1007));
        }
    }

    fn a_bad_byte_fails_wherever_the_fragments_are_cut(role) {
        for bad in BAD {
            for cut in 0..=bad.len() {
                let mut endpoint = Endpoint::new(role);
                endpoint.receive_frame(TEXT, &bad[..cut]);
                endpoint.receive_frame(FIN | CONTINUATION, &bad[cut..]);
                assert_eq!(endpoint.sent_close().0, Some(1007), "{bad:x?} {cut}");
            }
        }
    }

    fn a_last_fragment_that_ends_inside_a_code_point_fails(role) {
        let mut endpoint = Endpoint::new(role);
        endpoint.receive_frame(TEXT, b"good \xE9");
        endpoint.receive_frame(FIN | CONTINUATION, b"\x87");
        assert_eq!(endpoint.sent_close().0, Some(1007));
        endpoint.eof();
        assert_eq!(endpoint.ending().detail, Detail::Rule(ProtocolError::TextNotUtf8));
    }

    fn binary_messages_are_not_checked(role) {
        for bad in BAD {
            let mut endpoint = Endpoint::new(role);
            assert_eq!(endpoint.receive_frame(FIN | BINARY, bad), [Endpoint::binary(bad)]);
        }
    }
}
