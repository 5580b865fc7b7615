use revoir_proto::handshake::{HandshakeError, Headers, InvalidResponse, Origins, refusal};

use super::crlf;
use super::server::{REQUEST, asked, asked_with, config, with, without};

#[test]
fn server_lets_allowed_origins_and_clients_without_one_in() {
    let mut config = config();
    config.origins = Origins::only(["http://example.com"]);
    assert!(asked_with(config.clone(), &format!("{REQUEST}\n")).is_ok());
    assert!(asked_with(config.clone(), &without("Origin")).is_ok());
    for origin in ["http://evil.test", "null", "http://example.com.evil.test"] {
        let error = asked_with(config.clone(), &with(&format!("Origin: {origin}"))).unwrap_err();
        let got = origin.to_owned();
        assert_eq!(error, HandshakeError::OriginNotAllowed { got });
        assert_eq!(error.status(), Some(403));
    }
}

#[test]
fn a_refusal_with_304_ends_with_its_head() {
    let response = refusal(304, &Headers::new(), b"hello").unwrap();
    let text = String::from_utf8(response).unwrap();
    assert_eq!(
        text,
        "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"
    );
}

#[test]
fn server_chooses_the_subprotocol_it_prefers() {
    let mut config = config();
    config.subprotocols = ["x", "superchat", "chat"].map(str::to_owned).to_vec();
    let mut request = asked_with(config, &format!("{REQUEST}\n"))
        .unwrap()
        .unwrap();
    assert_eq!(request.subprotocol(), Some("superchat"));
    request.choose_subprotocol(Some("chat")).unwrap();
    let got = "x".to_owned();
    assert_eq!(
        request.choose_subprotocol(Some("x")),
        Err(InvalidResponse::SubprotocolNotOffered { got })
    );
    let acceptance = request.accept(&Headers::new()).unwrap();
    assert_eq!(acceptance.subprotocol.as_deref(), Some("chat"));
    request.choose_subprotocol(None).unwrap();
    let response = request.accept(&Headers::new()).unwrap().response;
    assert!(!String::from_utf8(response).unwrap().contains("Protocol:"));
}

#[cfg(feature = "deflate")]
#[test]
fn server_agrees_on_deflate_only_if_it_is_configured() {
    use revoir_proto::extension::Extensions;

    let request = with("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits");
    let acceptance = asked(&request).accept(&Headers::new()).unwrap();
    assert!(acceptance.extensions.deflate.is_none());

    let mut config = config();
    config.extensions = Extensions::with_deflate(Default::default());
    let mut request = asked_with(config, &request).unwrap().unwrap();
    assert_eq!(request.offered_extensions().len(), 1);
    assert!(request.extensions().deflate.is_some());
    let acceptance = request.accept(&Headers::new()).unwrap();
    assert!(acceptance.extensions.deflate.is_some());
    let response = String::from_utf8(acceptance.response).unwrap();
    assert!(response.contains("Sec-WebSocket-Extensions: permessage-deflate\r\n"));
    request.decline_extensions();
    let acceptance = request.accept(&Headers::new()).unwrap();
    assert!(acceptance.extensions.deflate.is_none());
    let response = String::from_utf8(acceptance.response).unwrap();
    assert!(!response.contains("Extensions"));
}

#[test]
fn application_adds_headers_but_none_of_the_handshake() {
    let request = asked(&format!("{REQUEST}\n"));
    let mut headers = Headers::new();
    headers.push("Set-Cookie", "a=b").unwrap();
    let response = request.accept(&headers).unwrap().response;
    assert!(response.ends_with(b"\r\nSet-Cookie: a=b\r\n\r\n"));
    for name in [
        "Upgrade",
        "connection",
        "Sec-WebSocket-Accept",
        "sec-websocket-extensions",
        "Content-Length",
        "Transfer-Encoding",
    ] {
        let mut headers = Headers::new();
        headers.push(name, "x").unwrap();
        let name = name.to_owned();
        let reserved = InvalidResponse::ReservedHeader { name };
        assert_eq!(request.accept(&headers).unwrap_err(), reserved);
        assert_eq!(request.reject(503, &headers, b"").unwrap_err(), reserved);
    }
}

#[test]
fn application_rejects_with_its_own_status_headers_and_body() {
    let request = asked(&format!("{REQUEST}\n"));
    let mut headers = Headers::new();
    headers.push("Retry-After", "5").unwrap();
    let response = request.reject(503, &headers, b"leaving").unwrap();
    let expected = "HTTP/1.1 503 Service Unavailable\nConnection: close\nContent-Length: 7\n\
        Retry-After: 5\n\nleaving";
    assert_eq!(response, crlf(expected));
    for status in [0, 101, 200, 299, 600, u16::MAX] {
        let refused = refusal(status, &headers, b"");
        assert_eq!(refused, Err(InvalidResponse::Status { got: status }));
    }
}
