//! TLS on either side of the gateway.

use std::sync::Arc;

use revoir::tls::{ClientTls, ServerTls};
use revoir::{Client, CloseCode, Ending, Message, Reason, SendCode, Server, WebSocket};
use tokio::sync::mpsc;

use crate::front::{Destination, RouteSettings, Settings};
use crate::tests::support::{Between, dial, field, held_at, secured, soon, target};
use crate::upstream::{PoolSettings, Target, UpstreamTls};

/// A certificate for this machine, and what trusts it.
struct Certified {
    pem: String,
    tls: ServerTls,
}

fn certified() -> Certified {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let pem = made.cert.pem();
    let key = made.signing_key.serialize_pem();
    let tls = ServerTls::from_pem(pem.as_bytes(), key.as_bytes()).unwrap();
    Certified { pem, tls }
}

/// Echoes until it is told to restart; the next client it then takes again.
async fn backend(tls: ServerTls) -> (Target, mpsc::UnboundedReceiver<revoir::Closer>) {
    let server = Server::bind("127.0.0.1:0").await.unwrap().with_tls(tls);
    let address = server.local_addr().unwrap();
    let (opened, closers) = mpsc::unbounded_channel();
    let echo = move |mut socket: WebSocket| {
        let _ = opened.send(socket.closer());
        async move {
            loop {
                let message = socket.recv().await?;
                socket.send(message).await?;
            }
            #[expect(unreachable_code, reason = "it names the type of the result")]
            Ok::<(), Arc<Ending>>(())
        }
    };
    tokio::spawn(server.serve(echo));
    let target = Target {
        secure: true,
        ..target(address)
    };
    (target, closers)
}

async fn between(target: Target, trust: UpstreamTls, tls: ServerTls) -> Between {
    let pool = PoolSettings {
        trust: Some(trust),
        ..held_at(target)
    };
    let route = RouteSettings::new("/", Destination::Upstreams(pool));
    secured(vec![route], Settings::default(), Some(tls)).await
}

async fn client(between: &Between, roots: &str) -> WebSocket {
    let trusting = ClientTls::with_roots(roots.as_bytes()).unwrap();
    let client = Client::new().with_tls(trusting);
    let url = format!("wss://127.0.0.1:{}/", between.address.port());
    soon(client.connect(&url)).await.unwrap()
}

#[tokio::test]
async fn messages_pass_through_both_and_a_restart_is_noticed_by_nobody() {
    let (own, theirs) = (certified(), certified());
    let (target, mut closers) = backend(theirs.tls).await;
    let trust = UpstreamTls::roots(theirs.pem.into_bytes()).unwrap();
    let between = between(target, trust, own.tls).await;
    let mut client = client(&between, &own.pem).await;
    // More than TLS and TCP keep, so that everything has to be pushed on.
    let long = "x".repeat(900_000);
    for text in ["first", &long, "last"] {
        client.send_text(text).await.unwrap();
    }
    for expected in ["first", &long, "last"] {
        let message = soon(client.recv()).await.unwrap();
        assert!(message == Message::Text(expected.into()));
    }
    let first = soon(closers.recv()).await.unwrap();
    drop(first.close(SendCode::SERVICE_RESTART, Reason::EMPTY));
    soon(closers.recv()).await.unwrap();
    client.send_text("again").await.unwrap();
    assert_eq!(
        soon(client.recv()).await.unwrap(),
        Message::Text("again".into())
    );
    let ending = soon(client.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY)).await;
    assert!(
        ending.is_clean() && ending.code() == CloseCode::NORMAL_CLOSURE,
        "{ending}"
    );
}

#[tokio::test]
async fn a_backend_that_nobody_vouches_for_is_a_bad_gateway() {
    let (own, theirs, others) = (certified(), certified(), certified());
    let (target, _) = backend(theirs.tls).await;
    let trust = UpstreamTls::roots(others.pem.into_bytes()).unwrap();
    let between = between(target, trust, own.tls).await;
    let trusting = ClientTls::with_roots(own.pem.as_bytes()).unwrap();
    let url = format!("wss://127.0.0.1:{}/", between.address.port());
    let refused = soon(Client::new().with_tls(trusting).connect(&url)).await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("502"), "{error}");
}

#[tokio::test]
async fn whoever_speaks_plain_http_where_tls_is_spoken_is_told() {
    let (own, theirs) = (certified(), certified());
    let (target, _) = backend(theirs.tls).await;
    let between = between(target, UpstreamTls::anybody(), own.tls).await;
    let mut plain = dial(between.address).await;
    plain.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = plain.head().await;
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    let length: usize = field(&head, "Content-Length").unwrap().parse().unwrap();
    let text = plain.rest().await;
    assert_eq!(text.len(), length);
    assert!(String::from_utf8(text).unwrap().contains("https://"));
    assert_eq!(*between.counts.answered.lock().unwrap(), [400]);
    // Whatever else is no TLS gets no answer.
    let mut garbage = dial(between.address).await;
    garbage.write(b"\x00\x01\x02\x03 nonsense").await;
    let answer = garbage.rest().await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}
