use std::sync::Arc;

use bytes::BytesMut;
use proptest::prelude::*;
use revoir_proto::handshake::{
    HandshakeError, HeadLimits, Headers, Origins, Request, ServerConfig, ServerHandshake,
};

use super::{crlf, feed_in_pieces};

/// The request of RFC 6455 section 1.2.
pub(super) const REQUEST: &str = "GET /chat HTTP/1.1\n\
    Host: server.example.com\n\
    Upgrade: websocket\n\
    Connection: Upgrade\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\
    Origin: http://example.com\n\
    Sec-WebSocket-Protocol: chat, superchat\n\
    Sec-WebSocket-Version: 13\n";

pub(super) fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.origins = Origins::Any;
    config.subprotocols = vec!["chat".to_owned()];
    config
}

pub(super) fn asked_with(
    config: ServerConfig,
    request: &str,
) -> Result<Option<Request>, HandshakeError> {
    let mut input = BytesMut::from(&*crlf(request));
    ServerHandshake::new(Arc::new(config)).handle_input(&mut input)
}

pub(super) fn asked(request: &str) -> Request {
    asked_with(config(), request).unwrap().unwrap()
}

/// The request with `line` in place of the one that starts with the same name.
pub(super) fn with(line: &str) -> String {
    let name = line.split(':').next().unwrap();
    let mut lines: Vec<_> = REQUEST.lines().collect();
    match lines
        .iter()
        .position(|old| old.split(':').next() == Some(name))
    {
        Some(at) => lines[at] = line,
        None => lines.push(line),
    }
    lines.join("\n") + "\n\n"
}

pub(super) fn without(name: &str) -> String {
    let kept: Vec<_> = REQUEST
        .lines()
        .filter(|line| !line.starts_with(name))
        .collect();
    kept.join("\n") + "\n\n"
}

/// So many different names.
fn names(count: usize) -> String {
    let names: Vec<_> = (0..count).map(|number| format!("n{number}")).collect();
    names.join(",")
}

#[test]
fn server_reads_up_to_64_subprotocols_and_32_extensions() {
    let request = asked(&with(&format!("Sec-WebSocket-Protocol: {}", names(64))));
    assert_eq!(request.subprotocols().len(), 64);
    let request = asked(&with(&format!("Sec-WebSocket-Extensions: {}", names(32))));
    assert_eq!(request.offered_extensions().len(), 32);
    let line = format!("Sec-WebSocket-Extensions: {}", names(33));
    let error = asked_with(config(), &with(&line)).unwrap_err();
    assert!(matches!(error, HandshakeError::ExtensionsMalformed(_)));
    assert_eq!(error.status(), Some(400));
}

fn twice(line: &str) -> String {
    format!("{REQUEST}{line}\n\n")
}

#[test]
fn server_answers_the_request_of_rfc_6455_section_1_2() {
    let request = asked(&format!("{REQUEST}\n"));
    assert_eq!(request.resource(), "/chat");
    assert_eq!((request.path(), request.query()), ("/chat", None));
    assert_eq!(request.host(), "server.example.com");
    assert_eq!(request.origin(), Some("http://example.com"));
    assert_eq!(request.subprotocols(), ["chat", "superchat"]);
    assert_eq!(request.headers().len(), 7);
    let acceptance = request.accept(&Headers::new()).unwrap();
    assert_eq!(acceptance.subprotocol.as_deref(), Some("chat"));
    let expected = "HTTP/1.1 101 Switching Protocols\n\
        Upgrade: websocket\n\
        Connection: Upgrade\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n\
        Sec-WebSocket-Protocol: chat\n\n";
    assert_eq!(acceptance.response, crlf(expected));
}

#[test]
fn server_reads_a_request_the_same_however_it_is_split() {
    let mut bytes = crlf(&format!("{REQUEST}\n"));
    let whole = asked(&format!("{REQUEST}\n"));
    bytes.extend_from_slice(b"\x81\x85rest");
    for split in 0..bytes.len() {
        let mut handshake = ServerHandshake::new(Arc::new(config()));
        let (first, second) = bytes.split_at(split);
        let mut rest = Vec::new();
        let mut result = None;
        for part in [first, second] {
            let mut input = BytesMut::from(part);
            if let Some(request) = handshake.handle_input(&mut input).unwrap() {
                assert!(result.replace(request).is_none());
            }
            rest.extend_from_slice(&input);
        }
        assert_eq!(result.as_ref(), Some(&whole), "split at {split}");
        assert_eq!(rest, b"\x81\x85rest", "split at {split}");
    }
    let mut handshake = ServerHandshake::new(Arc::new(config()));
    let feed = |input: &mut BytesMut| handshake.handle_input(input).unwrap();
    let (request, rest) = feed_in_pieces(&bytes, 1, feed).unwrap();
    assert_eq!(
        (request, rest.as_slice()),
        (whole, b"\x81\x85rest" as &[u8])
    );
}

#[test]
fn server_reads_targets_with_a_query_and_absolute_ones() {
    let request = asked(&format!("{REQUEST}\n").replace("/chat", "/a/b%20c?x=1?y"));
    assert_eq!(request.path(), "/a/b%20c");
    assert_eq!(request.query(), Some("x=1?y"));
    let request = asked(&format!("{REQUEST}\n").replace("/chat", "http://other:81/x"));
    assert_eq!((request.path(), request.host()), ("/x", "other:81"));
}

#[test]
fn server_takes_a_later_minor_version_and_an_empty_line_before_the_request() {
    for version in ["HTTP/1.1", "HTTP/1.2", "HTTP/1.9"] {
        asked(&format!("{REQUEST}\n").replace("HTTP/1.1", version));
    }
    asked(&format!("\n{REQUEST}\n"));
}

#[test]
fn server_compares_header_names_and_tokens_without_case() {
    let request = "GET / HTTP/1.1\n\
        HOST: a\n\
        upgrade: h2c, WebSocket\n\
        CONNECTION: keep-alive\n\
        connection: UPGRADE\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\n\
        SEC-WEBSOCKET-VERSION: 13\n\n";
    let request = asked(request);
    assert_eq!((request.origin(), request.subprotocol()), (None, None));
}

#[test]
fn server_refuses_each_broken_rule_with_its_status() {
    use HandshakeError as E;
    let owned = str::to_owned;
    let target = |target: &str| format!("{REQUEST}\n").replace("/chat", target);
    let version = |version: &str| format!("{REQUEST}\n").replace("HTTP/1.1", version);
    let method = |method: &str| format!("{REQUEST}\n").replace("GET", method);
    let cases = [
        (method("POST"), E::MethodNotGet { got: owned("POST") }, 405),
        (method("get"), E::MethodNotGet { got: owned("get") }, 405),
        (
            version("HTTP/1.0"),
            E::HttpVersion {
                got: owned("HTTP/1.0"),
            },
            505,
        ),
        (
            version("HTTP/2.0"),
            E::HttpVersion {
                got: owned("HTTP/2.0"),
            },
            505,
        ),
        (
            version("HTTP/1.10"),
            E::HttpVersion {
                got: owned("HTTP/1.10"),
            },
            505,
        ),
        (version("ICY"), E::HttpVersion { got: owned("ICY") }, 505),
        (target("*"), E::InvalidTarget { got: owned("*") }, 400),
        (target("/a#b"), E::InvalidTarget { got: owned("/a#b") }, 400),
        (without("Host"), E::HostMissing, 400),
        (twice("Host: server.example.com"), E::HostDuplicated, 400),
        (with("Host: a/b"), E::HostInvalid { got: owned("a/b") }, 400),
        (with("Host:"), E::HostInvalid { got: owned("") }, 400),
        (with("Content-Length: 5"), E::BodyNotAllowed, 400),
        (with("Transfer-Encoding: chunked"), E::BodyNotAllowed, 400),
        (without("Upgrade"), E::UpgradeMissing { got: None }, 426),
        (
            with("Upgrade: h2c"),
            E::UpgradeMissing {
                got: Some(owned("h2c")),
            },
            426,
        ),
        (
            without("Connection"),
            E::ConnectionMissing { got: None },
            400,
        ),
        (
            with("Connection: close"),
            E::ConnectionMissing {
                got: Some(owned("close")),
            },
            400,
        ),
        (without("Sec-WebSocket-Key"), E::KeyMissing, 400),
        (
            twice("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
            E::KeyDuplicated,
            400,
        ),
        (
            with("Sec-WebSocket-Key: abc"),
            E::KeyInvalid { got: owned("abc") },
            400,
        ),
        (
            without("Sec-WebSocket-Version"),
            E::VersionNotSupported { got: None },
            426,
        ),
        (
            with("Sec-WebSocket-Version: 8"),
            E::VersionNotSupported {
                got: Some(owned("8")),
            },
            426,
        ),
        (
            with("Sec-WebSocket-Version: 13, 8"),
            E::VersionNotSupported {
                got: Some(owned("13, 8")),
            },
            426,
        ),
        (
            twice("Sec-WebSocket-Version: 13"),
            E::VersionDuplicated,
            400,
        ),
        (
            twice("Origin: http://example.com"),
            E::OriginDuplicated,
            400,
        ),
        (
            with("Sec-WebSocket-Protocol: a, a"),
            E::SubprotocolInvalid { got: owned("a") },
            400,
        ),
        (
            with(&format!("Sec-WebSocket-Protocol: {}", names(65))),
            E::TooManySubprotocols { limit: 64 },
            400,
        ),
        (
            with("Sec-WebSocket-Protocol: a b"),
            E::SubprotocolInvalid { got: owned("a b") },
            400,
        ),
        (
            with("a b: c"),
            E::MalformedHead {
                part: "header name",
            },
            400,
        ),
        (
            with("a : c"),
            E::MalformedHead {
                part: "header name",
            },
            400,
        ),
        (
            with("a: \x01"),
            E::MalformedHead {
                part: "header value",
            },
            400,
        ),
        (
            owned("GET\n\n"),
            E::MalformedHead {
                part: "request line",
            },
            400,
        ),
    ];
    for (request, expected, status) in cases {
        let error = asked_with(config(), &request).unwrap_err();
        assert_eq!(error, expected, "{request}");
        assert_eq!(error.status(), Some(status), "{error}");
        assert!(error.section().starts_with("RFC "), "{error}");
        assert!(error.to_string().starts_with(char::is_lowercase), "{error}");
        let response = String::from_utf8(error.response().unwrap()).unwrap();
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status} ")),
            "{response}"
        );
        assert!(response.contains(&error.to_string()), "{response}");
        assert_eq!(
            response.contains("Sec-WebSocket-Version: 13\r\n"),
            status == 426
        );
        assert_eq!(response.contains("Allow: GET\r\n"), status == 405);
    }
    let error = asked_with(config(), &with("Sec-WebSocket-Extensions: a;")).unwrap_err();
    assert!(matches!(error, E::ExtensionsMalformed(_)));
    assert_eq!(error.status(), Some(400));
}

#[test]
fn server_refuses_bytes_that_are_not_http_at_the_first_one() {
    let ask = |bytes: &[u8]| {
        let mut handshake = ServerHandshake::new(Arc::new(config()));
        handshake.handle_input(&mut BytesMut::from(bytes))
    };
    let tls = HandshakeError::NotHttp { byte: 0x16 };
    assert_eq!(ask(b"\x16\x03\x01"), Err(tls.clone()));
    assert_eq!(tls.status(), Some(400));
    assert_eq!(
        ask(b"GET / HTTP/1.1\nHost: a\n\n"),
        Err(HandshakeError::BareLineFeed)
    );
}

#[test]
fn server_limits_the_head_and_its_fields() {
    let mut config = config();
    config.limits = HeadLimits {
        bytes: 400,
        headers: 10,
    };
    let config = Arc::new(config);
    let head = |filler: usize| crlf(&format!("{REQUEST}A: {}\n\n", "x".repeat(filler)));
    let fits = 400 - head(0).len();
    for size in [1, 7, 1000] {
        let run = |bytes: &[u8]| {
            let mut handshake = ServerHandshake::new(config.clone());
            let feed = |input: &mut BytesMut| handshake.handle_input(input).transpose();
            feed_in_pieces(bytes, size, feed).map(|(result, _)| result)
        };
        assert!(matches!(run(&head(fits)), Some(Ok(_))));
        let too_long = HandshakeError::HeadTooLong { limit: 400 };
        assert_eq!(too_long.status(), Some(431));
        assert_eq!(run(&head(fits + 1)), Some(Err(too_long.clone())));
        assert_eq!(run(&[b'a'; 400]), Some(Err(too_long)));
        assert_eq!(run(&[b'a'; 399]), None);
        let many = crlf(&format!("{REQUEST}A: x\nB: y\nC: z\nD: d\n\n"));
        let too_many = HandshakeError::TooManyHeaders { limit: 10 };
        assert_eq!(too_many.status(), Some(431));
        assert_eq!(run(&many), Some(Err(too_many)));
    }
}

#[test]
fn server_reports_the_end_of_the_stream_before_the_request() {
    let mut handshake = ServerHandshake::new(Arc::new(config()));
    let mut input = BytesMut::from(&b"GET /"[..]);
    assert_eq!(handshake.handle_input(&mut input), Ok(None));
    let error = handshake.handle_eof().unwrap_err();
    assert_eq!(error, HandshakeError::Eof { received: 5 });
    assert_eq!((error.status(), error.response()), (None, None));
    assert_eq!(handshake.handle_eof(), Ok(()));
}

proptest! {
    #[test]
    fn server_never_panics_on_arbitrary_requests(
        start_of_head: bool,
        tail in proptest::collection::vec(
            prop_oneof![any::<u8>(), proptest::sample::select(b"\r\n: ".to_vec())], 0..200,
        ),
        size in 1_usize..50,
    ) {
        let mut bytes = if start_of_head { crlf(REQUEST) } else { Vec::new() };
        bytes.extend_from_slice(&tail);
        let mut handshake = ServerHandshake::new(Arc::new(config()));
        for piece in bytes.chunks(size) {
            if let Err(error) = handshake.handle_input(&mut BytesMut::from(piece)) {
                let response = error.response().unwrap();
                prop_assert!(response.starts_with(b"HTTP/1.1 "));
            }
        }
        let _ = handshake.handle_eof();
    }
}

#[test]
fn a_request_parsed_elsewhere_is_the_one_that_was_read() {
    let mut headers = Headers::new();
    for line in REQUEST.lines().skip(1) {
        let (name, value) = line.split_once(": ").unwrap();
        headers.push(name, value).unwrap();
    }
    let parsed = |method, headers| Request::from_parts(method, "/chat", headers, &config());
    assert_eq!(
        parsed("GET", headers.clone()),
        Ok(asked(&with("Host: server.example.com")))
    );
    let got = "POST".to_owned();
    assert_eq!(
        parsed("POST", headers),
        Err(HandshakeError::MethodNotGet { got })
    );
    assert_eq!(
        parsed("GET", Headers::new()),
        Err(HandshakeError::HostMissing)
    );
}
