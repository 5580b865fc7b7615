//! Connections that never open, over TCP and TLS: what the raw end says and does inside the opening
//! handshake, the whole record at our side, and what we answered. `never_opened.rs` has the same in
//! memory, and what comes before the handshake.

use std::time::Duration;

use revoir::ending::{Detail, Finish};
use revoir::handshake::{HandshakeError, Headers, Refused};
use revoir::{Acceptor, Cause, Client, Ending};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::expected;
use crate::support::wire::{Stream, Wire, pair};

const WIRES: [Wire; 2] = [Wire::Tcp, Wire::Tls];

/// What the raw end does after its bytes.
#[derive(Clone, Copy, Debug)]
enum Then {
    Wait,
    Fin,
    Reset,
}

impl Then {
    /// `None`: the stream is gone.
    async fn follow(self, mut stream: Stream) -> Option<Stream> {
        match self {
            Self::Wait => {}
            Self::Fin => stream.shutdown().await.unwrap(),
            Self::Reset => {
                stream.reset();
                return None;
            }
        }
        Some(stream)
    }
}

fn never(cause: Cause, detail: Detail) -> Ending {
    let mut ending = expected(cause, Finish::None, None);
    ending.detail = detail;
    ending
}

fn rule(error: HandshakeError) -> Detail {
    Detail::Handshake(Box::new(error))
}

/// The limit of a case that waits for it; the others have time.
fn limit(ending: &Ending) -> Duration {
    match ending.cause {
        Cause::HandshakeTimeout => Duration::from_millis(50),
        _ => Duration::from_secs(60),
    }
}

fn too_slow() -> Ending {
    let detail = Detail::Text("not done within 50ms".into());
    never(Cause::HandshakeTimeout, detail)
}

/// What our client makes of `answer`.
async fn answered(wire: Wire, answer: &str, then: Then, limit: Duration) -> Ending {
    let (near, mut far) = pair(wire).await;
    let client = Client::new().with_handshake_timeout(limit);
    let connecting = client.connect_over("ws://a.example/chat", near);
    let answering = async {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(far.read_u8().await.unwrap());
        }
        far.write_all(answer.as_bytes()).await.unwrap();
        then.follow(far).await
    };
    let (result, _far) = tokio::join!(connecting, answering);
    Ending::clone(result.unwrap_err().ending().unwrap())
}

#[tokio::test]
async fn a_client_names_what_went_wrong_inside_the_handshake() {
    let refused = {
        let mut headers = Headers::new();
        headers.push("Retry-After", "7").unwrap();
        headers.push("Content-Length", "0").unwrap();
        Ending::from(Refused::new(503, headers))
    };
    let eof = HandshakeError::Eof { received: 9 };
    let cases = [
        (
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
            Then::Wait,
            refused,
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            Then::Wait,
            never(Cause::HandshakeInvalid, rule(HandshakeError::AcceptMissing)),
        ),
        (
            "HTTP/1.1 ",
            Then::Fin,
            never(Cause::HandshakeEof, rule(eof)),
        ),
        (
            "",
            Then::Reset,
            never(Cause::HandshakeReset, Detail::Os(104)),
        ),
        ("HTTP/1.1 ", Then::Wait, too_slow()),
    ];
    for (answer, then, ending) in cases {
        for wire in WIRES {
            let actual = answered(wire, answer, then, limit(&ending)).await;
            assert_eq!(actual, ending, "{wire:?} {answer:?} {then:?}");
        }
    }
}

/// What our server answers to `request`, and how it calls the end.
async fn asked(wire: Wire, request: &str, then: Then, limit: Duration) -> (String, Ending) {
    let (near, mut far) = pair(wire).await;
    let acceptor = Acceptor::new().with_handshake_timeout(limit);
    let asking = async {
        far.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        if let Some(mut far) = then.follow(far).await {
            match far.read_to_string(&mut answer).await {
                // Where there is no answer, TLS ends without a goodbye.
                Ok(_) | Err(_) => {}
            }
        }
        answer
    };
    let (result, answer) = tokio::join!(acceptor.accept(near), asking);
    (answer, Ending::clone(&result.unwrap_err()))
}

#[tokio::test]
async fn a_server_names_what_went_wrong_inside_the_handshake_and_answers_it() {
    let request = |version: u8, more: &str| {
        format!(
            "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: {version}\r\n\
             {more}\r\n"
        )
    };
    let got = Some("8".to_owned());
    let version = HandshakeError::VersionNotSupported { got };
    let got = "https://evil.example".to_owned();
    let origin = HandshakeError::OriginNotAllowed { got };
    let eof = HandshakeError::Eof { received: 4 };
    let cases = [
        (
            request(8, ""),
            Then::Wait,
            "HTTP/1.1 426 Upgrade Required\r\n",
            never(Cause::HandshakeInvalid, rule(version)),
        ),
        (
            request(13, "Origin: https://evil.example\r\n"),
            Then::Wait,
            "HTTP/1.1 403 Forbidden\r\n",
            never(Cause::HandshakeRejected, rule(origin)),
        ),
        (
            "GET ".to_owned(),
            Then::Fin,
            "",
            never(Cause::HandshakeEof, rule(eof)),
        ),
        (
            "GET ".to_owned(),
            Then::Reset,
            "",
            never(Cause::HandshakeReset, Detail::Os(104)),
        ),
        (
            "GET ".to_owned(),
            Then::Wait,
            "HTTP/1.1 408 Request Timeout\r\n",
            too_slow(),
        ),
    ];
    for (request, then, status, ending) in cases {
        for wire in WIRES {
            let (answer, actual) = asked(wire, &request, then, limit(&ending)).await;
            assert_eq!(actual, ending, "{wire:?} {request:?} {then:?}");
            assert!(answer.starts_with(status), "{answer}");
            assert_eq!(answer.is_empty(), status.is_empty(), "{answer}");
        }
    }
}
