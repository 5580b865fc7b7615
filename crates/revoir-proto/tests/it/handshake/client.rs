use bytes::BytesMut;
use proptest::prelude::*;
use revoir_proto::extension::Extensions;
use revoir_proto::handshake::{
    ClientHandshake, ClientOutcome, ClientRequest, Established, HandshakeError, HeadLimits,
    InvalidRequest,
};

use super::{crlf, feed_in_pieces};

const NONCE: [u8; 16] = *b"the sample nonce";

/// The answer of RFC 6455 section 1.3 to its key, with room for more lines.
const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\n\
    Upgrade: websocket\n\
    Connection: Upgrade\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n";

pub(super) fn request() -> ClientRequest {
    ClientRequest::new("server.example.com", 80, false, "/chat")
        .unwrap()
        .with_extensions(Extensions::default())
}

fn chat() -> ClientRequest {
    let request = request().with_subprotocol("chat").unwrap();
    request.with_subprotocol("superchat").unwrap()
}

pub(super) fn start(request: ClientRequest) -> ClientHandshake {
    ClientHandshake::new(request, NONCE, HeadLimits::default())
}

fn written(request: ClientRequest) -> String {
    String::from_utf8(start(request).request_bytes().to_vec()).unwrap()
}

/// What a client that asked for `request` makes of `answer`, and the bytes it leaves.
fn answered(
    request: ClientRequest,
    answer: &[u8],
) -> (Result<Option<ClientOutcome>, HandshakeError>, Vec<u8>) {
    let mut input = BytesMut::from(answer);
    let result = start(request).handle_input(&mut input);
    (result, input.to_vec())
}

fn established(request: ClientRequest, answer: &str) -> Established {
    match answered(request, &crlf(answer)).0 {
        Ok(Some(ClientOutcome::Established(established))) => established,
        other => panic!("{other:?}"),
    }
}

fn failed(request: ClientRequest, answer: &str) -> HandshakeError {
    let error = answered(request, &crlf(answer)).0.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with(char::is_lowercase), "{text}");
    assert!(error.section().starts_with("RFC "));
    error
}

#[test]
fn client_writes_the_request_of_rfc_6455_section_1_2() {
    let request = chat().with_origin("http://example.com").unwrap();
    let expected = "GET /chat HTTP/1.1\n\
        Host: server.example.com\n\
        Upgrade: websocket\n\
        Connection: Upgrade\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\
        Sec-WebSocket-Version: 13\n\
        Origin: http://example.com\n\
        Sec-WebSocket-Protocol: chat, superchat\n\n";
    assert_eq!(written(request).into_bytes(), crlf(expected));
}

#[test]
fn client_accepts_the_response_of_rfc_6455_section_1_2() {
    let answer = format!("{ANSWER}Sec-WebSocket-Protocol: chat\n\n");
    let established = established(chat(), &answer);
    assert_eq!(established.subprotocol.as_deref(), Some("chat"));
    assert_eq!(established.extensions, Default::default());
    assert_eq!(established.headers.len(), 4);
}

#[test]
fn client_writes_host_with_brackets_and_port() {
    for (host, port, secure, expected) in [
        ("::1", 9000, false, "Host: [::1]:9000\r\n"),
        ("[2001:db8::1]", 443, true, "Host: [2001:db8::1]\r\n"),
        ("example.com", 443, false, "Host: example.com:443\r\n"),
    ] {
        let request = ClientRequest::new(host, port, secure, "/").unwrap();
        assert!(written(request).contains(expected), "{expected}");
    }
}

#[cfg(feature = "deflate")]
#[test]
fn client_offers_deflate_by_default_and_takes_what_agrees() {
    let request = || ClientRequest::new("a", 80, false, "/").unwrap();
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    assert!(written(request()).contains(offer));
    let answer = format!(
        "{ANSWER}Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10\n\n"
    );
    let agreed = established(request(), &answer).extensions.deflate.unwrap();
    assert_eq!(agreed.client_max_window_bits, 10);
    let answer = format!(
        "{ANSWER}Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=8\n\n"
    );
    let error = failed(request(), &answer);
    assert_eq!(error.section(), "RFC 7692 section 7.1.2.2");
}

#[test]
fn client_reads_a_response_the_same_however_it_is_split() {
    let mut bytes = crlf(&format!("{ANSWER}Sec-WebSocket-Protocol: superchat\n\n"));
    bytes.extend_from_slice(b"\x81\x05Hello");
    let (whole, rest) = answered(chat(), &bytes);
    assert_eq!(rest, b"\x81\x05Hello");
    for split in 0..bytes.len() {
        let mut handshake = start(chat());
        let (first, second) = bytes.split_at(split);
        let mut input = BytesMut::from(first);
        let mut result = handshake.handle_input(&mut input);
        let mut rest = input.to_vec();
        if result == Ok(None) {
            assert!(rest.is_empty());
            input = BytesMut::from(second);
            result = handshake.handle_input(&mut input);
            rest = input.to_vec();
        } else {
            rest.extend_from_slice(second);
        }
        assert_eq!(result, whole, "split at {split}");
        assert_eq!(rest, b"\x81\x05Hello", "split at {split}");
    }
    let mut handshake = start(chat());
    let feed = |input: &mut BytesMut| handshake.handle_input(input).unwrap();
    let (outcome, rest) = feed_in_pieces(&bytes, 1, feed).unwrap();
    assert_eq!(
        (Ok(Some(outcome)), rest.as_slice()),
        (whole, b"\x81\x05Hello" as &[u8])
    );
}

#[test]
fn client_takes_nothing_after_the_outcome() {
    let mut handshake = start(request());
    let mut input = BytesMut::from(&*crlf(&format!("{ANSWER}\n")));
    assert!(handshake.handle_input(&mut input).unwrap().is_some());
    input.extend_from_slice(b"\x81\x00");
    assert_eq!(handshake.handle_input(&mut input), Ok(None));
    assert_eq!(&input[..], b"\x81\x00");
    assert_eq!(handshake.handle_eof(), Ok(None));
}

#[test]
fn client_compares_header_names_and_tokens_without_case() {
    let answer = "HTTP/1.1 101 whatever\n\
        UPGRADE: WebSocket\n\
        connection: keep-alive, upgrade\n\
        sec-websocket-accept:   s3pPLMBiTxaQ9kYGzzhZRbK+xOo=  \n\n";
    established(request(), answer);
    established(request(), &format!("{ANSWER}\n").replace("1.1", "1.9"));
}

#[test]
fn client_fails_a_101_that_breaks_a_rule() {
    let without = |name: &str| {
        let kept: Vec<_> = ANSWER
            .lines()
            .filter(|line| !line.starts_with(name))
            .collect();
        kept.join("\n") + "\n\n"
    };
    let with = |line: &str| format!("{ANSWER}{line}\n\n");
    use HandshakeError as E;
    let owned = str::to_owned;
    let cases = [
        (without("Upgrade"), E::UpgradeMissing { got: None }),
        (
            ANSWER.replace("websocket\n", "h2c\n") + "\n",
            E::UpgradeMissing {
                got: Some(owned("h2c")),
            },
        ),
        (without("Connection"), E::ConnectionMissing { got: None }),
        (
            ANSWER.replace("Connection: Upgrade", "Connection: close") + "\n",
            E::ConnectionMissing {
                got: Some(owned("close")),
            },
        ),
        (
            ANSWER.replace("Upgrade: websocket", "Upgrade: h2c, websocket") + "\n",
            E::UpgradeMissing {
                got: Some(owned("h2c, websocket")),
            },
        ),
        (
            with("Upgrade: websocket"),
            E::UpgradeMissing {
                got: Some(owned("websocket")),
            },
        ),
        (without("Sec-WebSocket-Accept"), E::AcceptMissing),
        (
            ANSWER.replace("s3p", "S3p") + "\n",
            E::AcceptMismatch {
                got: owned("S3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                expected: owned("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            },
        ),
        (
            with("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            E::AcceptDuplicated,
        ),
        (
            with("Sec-WebSocket-Protocol: Chat"),
            E::SubprotocolNotOffered { got: owned("Chat") },
        ),
        (
            with("Sec-WebSocket-Protocol: chat, superchat"),
            E::SubprotocolNotOffered {
                got: owned("chat, superchat"),
            },
        ),
        (
            with("Sec-WebSocket-Protocol: chat\nSec-WebSocket-Protocol: chat"),
            E::SubprotocolDuplicated,
        ),
        (
            ANSWER.replace("HTTP/1.1", "HTTP/1.0") + "\n",
            E::HttpVersion {
                got: owned("HTTP/1.0"),
            },
        ),
        (
            ANSWER.replace("HTTP/1.1", "HTTP/2.0") + "\n",
            E::HttpVersion {
                got: owned("HTTP/2.0"),
            },
        ),
        (
            with("a b: c"),
            E::MalformedHead {
                part: "header name",
            },
        ),
        (
            with("a: \0"),
            E::MalformedHead {
                part: "header value",
            },
        ),
    ];
    for (answer, expected) in cases {
        assert_eq!(failed(chat(), &answer), expected, "{answer}");
        assert!(!matches!(expected, E::AcceptMissing) || expected.status().is_none());
    }
    for line in [
        "Sec-WebSocket-Extensions: foo",
        "Sec-WebSocket-Extensions: a b",
    ] {
        let error = failed(chat(), &with(line));
        assert!(matches!(
            error,
            E::Extensions(_) | E::ExtensionsMalformed(_)
        ));
    }
}

#[test]
fn client_tells_early_that_the_peer_does_not_speak_http() {
    for (bytes, byte) in [
        (b"\x15\x03\x01" as &[u8], 0x15),
        (b"SSH-2.0-x", b'S'),
        (b"HTTX", b'X'),
        (b"\x81\x05Hello", 0x81),
    ] {
        assert_eq!(
            answered(request(), bytes).0,
            Err(HandshakeError::NotHttp { byte })
        );
    }
    let bare = b"HTTP/1.1 101 x\nUpgrade: websocket\n\n";
    assert_eq!(
        answered(request(), bare).0,
        Err(HandshakeError::BareLineFeed)
    );
}

#[test]
fn client_limits_the_head_and_its_fields() {
    let limits = HeadLimits {
        bytes: 200,
        headers: 4,
    };
    let head = |filler: usize| crlf(&format!("{ANSWER}A: {}\n\n", "x".repeat(filler)));
    let fits = 200 - head(0).len();
    for size in [1, 7, 1000] {
        let run = |bytes: &[u8]| {
            let mut handshake = ClientHandshake::new(request(), NONCE, limits);
            let feed = |input: &mut BytesMut| handshake.handle_input(input).transpose();
            feed_in_pieces(bytes, size, feed).map(|(result, _)| result)
        };
        assert!(matches!(run(&head(fits)), Some(Ok(_))));
        let too_long = Some(Err(HandshakeError::HeadTooLong { limit: 200 }));
        assert_eq!(run(&head(fits + 1)), too_long);
        assert_eq!(run(&head(1000)[..200]), too_long);
        assert_eq!(run(&head(1000)[..199]), None);
        let many = crlf(&format!("{ANSWER}A: x\nB: y\n\n"));
        assert_eq!(
            run(&many),
            Some(Err(HandshakeError::TooManyHeaders { limit: 4 }))
        );
    }
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    let endless = answered(request(), interim.as_bytes()).0;
    assert_eq!(
        endless,
        Err(HandshakeError::HeadTooLong { limit: 16 * 1024 })
    );
}

#[test]
fn client_reads_past_interim_responses() {
    let answer = format!("HTTP/1.1 103 Early Hints\nLink: </a>\n\n{ANSWER}\n");
    assert_eq!(established(request(), &answer).headers.len(), 3);
}

#[test]
fn client_reports_the_end_of_the_stream_before_the_answer() {
    let mut handshake = start(request());
    let mut input = BytesMut::from(&b"HTTP/1.1 1"[..]);
    assert_eq!(handshake.handle_input(&mut input), Ok(None));
    let eof = handshake.handle_eof();
    assert_eq!(eof, Err(HandshakeError::Eof { received: 10 }));
    assert_eq!(
        start(request()).handle_eof(),
        Err(HandshakeError::Eof { received: 0 })
    );
}

#[test]
fn nothing_a_caller_passes_can_break_a_line_or_replace_a_header() {
    for bad in ["a\r\nX: y", "a\nX: y", "a\rb", "a\0b", "a b", "", "é"] {
        assert!(ClientRequest::new(bad, 80, false, "/").is_err(), "{bad:?}");
        let resource = format!("/{bad}");
        if !bad.is_empty() {
            assert!(
                ClientRequest::new("a", 80, false, &resource).is_err(),
                "{bad:?}"
            );
            assert!(request().with_header(bad, "x").is_err(), "{bad:?}");
        }
        assert!(request().with_subprotocol(bad).is_err(), "{bad:?}");
        assert!(request().with_origin(bad).is_err(), "{bad:?}");
    }
    for bad in ["a\r\nX: y", "a\nb", "a\rb", "a\0b", "\x7f"] {
        assert!(request().with_header("X", bad).is_err(), "{bad:?}");
    }
    assert!(ClientRequest::new("a", 80, false, "a").is_err());
    assert!(ClientRequest::new("a", 80, false, "/a#b").is_err());
    for name in [
        "Host",
        "host",
        "UPGRADE",
        "Connection",
        "Origin",
        "Content-Length",
        "Transfer-Encoding",
        "Sec-WebSocket-Key",
        "sec-websocket-protocol",
        "Sec-WebSocket-Anything",
    ] {
        let name_owned = name.to_owned();
        assert_eq!(
            request().with_header(name, "x"),
            Err(InvalidRequest::ReservedHeader { name: name_owned })
        );
    }
    let repeated = chat().with_subprotocol("chat");
    assert!(matches!(repeated, Err(InvalidRequest::Subprotocol { .. })));
    let request = request().with_header("Cookie", "a=b; c").unwrap();
    assert!(written(request).ends_with("Cookie: a=b; c\r\n\r\n"));
}

#[test]
fn debug_output_of_a_client_hides_what_lets_it_in() {
    let request = request().with_subprotocol("token.c2VjcmV0").unwrap();
    let request = request.with_header("Authorization", "secret").unwrap();
    let request = request.with_header("Cookie", "secret").unwrap();
    let handshake = start(request);
    let text = format!("{handshake:?}");
    assert!(text.contains("server.example.com") && text.contains("Authorization"));
    for hidden in ["secret", "c2VjcmV0", "115, 101, 99", "dGhl"] {
        assert!(!text.contains(hidden), "{text}");
    }
}

proptest! {
    #[test]
    fn client_never_panics_on_arbitrary_answers(
        start_of_head: bool,
        tail in proptest::collection::vec(
            prop_oneof![any::<u8>(), proptest::sample::select(b"\r\n: ".to_vec())], 0..200,
        ),
        size in 1_usize..50,
    ) {
        let mut bytes = if start_of_head { ANSWER.as_bytes().to_vec() } else { Vec::new() };
        bytes.extend_from_slice(&tail);
        let mut handshake = start(chat());
        for piece in bytes.chunks(size) {
            let _ = handshake.handle_input(&mut BytesMut::from(piece));
        }
        let _ = handshake.handle_eof();
    }

    #[test]
    fn no_argument_adds_a_line_to_the_request(
        host in ".{0,20}", resource in ".{0,20}", name in ".{0,10}", value in ".{0,20}",
    ) {
        let request = ClientRequest::new(&host, 80, false, &resource)
            .and_then(|request| request.with_header(&name, &value));
        if let Ok(request) = request {
            let head = written(request.with_extensions(Extensions::default()));
            prop_assert_eq!(head.matches('\n').count(), 8);
        }
    }
}
