//! Mode `auto`: who is held, and what becomes of everybody else.

use revoir_codes::{CloseCode, Slot};
use revoir_proto::frame::Opcode;
use tokio::net::TcpSocket;

use crate::rules::Mode;
use crate::tests::support::{
    Raw, accepted, ask, asked, connected, dial, field, gateway, pair, request, settings, soon,
    taken,
};
use crate::treatment::{HeldBy, Treatment, TunnelCause};
use crate::watch::Limit;

const YES: &str = "Revoir-Hold: yes\r\n";

/// The client was told to come back, in a time of its own.
async fn sent_back(client: &mut Raw) -> String {
    let (code, reason) = client.closed().await;
    assert_eq!(code, 1012, "{reason}");
    let slot = Slot::read(CloseCode::from(code), &reason);
    assert!(slot.is_some(), "{reason}");
    reason
}

#[tokio::test]
async fn nobody_said_that_it_may_be_held_so_a_loss_is_a_restart() {
    let (listener, between) = pair(settings(Mode::Auto)).await;
    let (mut client, backend) = connected(&listener, &between).await;
    let treatment = between.gateway.handles()[0].treatment();
    assert_eq!(treatment, Treatment::Tunnel(TunnelCause::Nobody));
    drop(backend);
    assert!(
        sent_back(&mut client)
            .await
            .starts_with("the backend was lost")
    );
}

#[tokio::test]
async fn the_word_of_the_backend_holds_its_client_and_is_not_passed_on() {
    let (listener, between) = pair(settings(Mode::Auto)).await;
    let mut client = ask(between.address, "").await;
    let (mut backend, head) = asked(&listener).await;
    accepted(&mut backend, &head, &format!("{YES}X-Other: a\r\n")).await;
    let answer = client.head().await;
    assert_eq!(field(&answer, "Revoir-Hold"), None, "{answer}");
    assert_eq!(field(&answer, "X-Other").as_deref(), Some("a"));
    let treatment = between.gateway.handles()[0].treatment();
    assert_eq!(treatment, Treatment::Hold(HeldBy::Backend));
    drop(backend);
    between.counts.held(1).await;
    client.text("meanwhile").await;
    let (mut backend, head) = asked(&listener).await;
    assert!(field(&head, "Revoir-Resume").is_some(), "{head}");
    accepted(&mut backend, &head, YES).await;
    assert_eq!(backend.recv().await, "meanwhile");
    backend.text("again").await;
    assert_eq!(client.recv().await, "again");
}

#[tokio::test]
async fn a_backend_that_takes_its_word_back_does_not_get_the_client() {
    for word in ["", "Revoir-Hold: no\r\n"] {
        let (listener, between) = pair(settings(Mode::Auto)).await;
        let mut client = ask(between.address, "").await;
        let (mut backend, head) = asked(&listener).await;
        accepted(&mut backend, &head, YES).await;
        client.head().await;
        drop(backend);
        let (mut backend, head) = asked(&listener).await;
        accepted(&mut backend, &head, word).await;
        let reason = sent_back(&mut client).await;
        assert!(reason.starts_with("the backend does not say"), "{reason}");
    }
}

#[tokio::test]
async fn compression_is_the_clients_and_decides_whether_the_word_counts() {
    let offer = "permessage-deflate; client_max_window_bits";
    let alone = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    for (answer, expected) in [
        (
            "permessage-deflate",
            Treatment::Tunnel(TunnelCause::Extensions),
        ),
        (alone, Treatment::Hold(HeldBy::Backend)),
    ] {
        let (listener, between) = pair(settings(Mode::Auto)).await;
        let lines = format!("Sec-WebSocket-Extensions: {offer}\r\n");
        let mut client = ask(between.address, &lines).await;
        let (mut backend, head) = asked(&listener).await;
        assert_eq!(
            field(&head, "Sec-WebSocket-Extensions").as_deref(),
            Some(offer)
        );
        let lines = format!("{YES}Sec-WebSocket-Extensions: {answer}\r\n");
        accepted(&mut backend, &head, &lines).await;
        let head = client.head().await;
        assert_eq!(
            field(&head, "Sec-WebSocket-Extensions").as_deref(),
            Some(answer)
        );
        assert_eq!(between.gateway.handles()[0].treatment(), expected);
        drop(backend);
        if expected.is_hold() {
            let (mut backend, head) = asked(&listener).await;
            assert_eq!(
                field(&head, "Sec-WebSocket-Extensions").as_deref(),
                Some(alone)
            );
            accepted(&mut backend, &head, &lines).await;
            backend.text("again").await;
            assert_eq!(client.recv().await, "again");
        } else {
            sent_back(&mut client).await;
        }
    }
}

#[tokio::test]
async fn a_client_that_was_sent_back_waits_here_until_there_is_a_backend() {
    let (listener, between) = pair(settings(Mode::Auto)).await;
    let address = listener.local_addr().unwrap();
    let (mut client, backend) = connected(&listener, &between).await;
    drop((listener, backend));
    sent_back(&mut client).await;
    let mut client = ask(between.address, "").await;
    between.away().await;
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let (mut backend, _) = taken(&listener).await;
    assert!(soon(client.head()).await.starts_with("HTTP/1.1 101 "));
    backend.text("again").await;
    assert_eq!(client.recv().await, "again");
}

/// The first requests of sessions that do not begin with an opening handshake.
const STARTS: [&str; 2] = [
    "GET /socket.io/?EIO=4&transport=polling&t=a HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "POST /hub/negotiate?negotiateVersion=1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n",
];

#[tokio::test]
async fn the_first_request_of_a_session_waits_here_until_there_is_a_backend() {
    for start in STARTS {
        // Nobody else gets its port while nothing listens there.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = socket.local_addr().unwrap();
        let between = gateway(address, settings(Mode::Auto)).await;
        let mut client = dial(between.address).await;
        client.write(start.as_bytes()).await;
        between.away().await;
        let listener = socket.listen(8).unwrap();
        let (mut backend, head) = asked(&listener).await;
        assert_eq!(head.lines().next(), start.lines().next());
        backend
            .write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0")
            .await;
        assert!(soon(client.head()).await.starts_with("HTTP/1.1 200 "));
    }
}

/// Or its client would pause only then, before it negotiates again.
#[tokio::test]
async fn an_id_of_signalr_does_not_wait_for_another_backend() {
    let (listener, between) = pair(settings(Mode::Auto)).await;
    let names_an_id = async || {
        let mut client = dial(between.address).await;
        let request = request("").replace("/chat?a=b", "/hub?id=8J2bQ-x_3kEwXqYh0aZb1Q");
        client.write(request.as_bytes()).await;
        client
    };
    let [_, negotiate] = STARTS;
    let mut client = dial(between.address).await;
    client.write(negotiate.as_bytes()).await;
    let (mut backend, _) = asked(&listener).await;
    backend
        .write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        .await;
    assert!(soon(client.head()).await.starts_with("HTTP/1.1 200 "));
    let mut named = names_an_id().await;
    let (mut backend, head) = asked(&listener).await;
    accepted(&mut backend, &head, "").await;
    assert!(soon(named.head()).await.starts_with("HTTP/1.1 101 "));
    drop((listener, backend));
    sent_back(&mut named).await;
    let head = soon(names_an_id().await.head()).await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
}

#[tokio::test]
async fn the_first_request_of_a_session_is_503_where_nobody_may_wait() {
    for start in STARTS {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let mut setup = settings(Mode::Auto);
        setup.settings.waiting = 0;
        let between = gateway(socket.local_addr().unwrap(), setup).await;
        let mut client = dial(between.address).await;
        client.write(start.as_bytes()).await;
        let head = soon(client.head()).await;
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
        assert!(field(&head, "Retry-After").is_some());
        assert_eq!(between.counts.limited(Limit::Waiting), 1);
    }
}

/// A backend that passes on what each says to all others has to have them.
#[tokio::test]
async fn what_a_held_client_said_meanwhile_waits_for_the_others_of_its_route() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let (mut speaker, one) = connected(&listener, &between).await;
    let speakers_name = between.gateway.handles()[0].name.to_string();
    let (_listens, other) = connected(&listener, &between).await;
    drop((one, other));
    between.counts.held(2).await;
    speaker.text("meanwhile").await;
    speaker.send(Opcode::Ping, b"").await;
    assert_eq!(speaker.frame().await, Some((Opcode::Pong, Vec::new())));
    let mut backends = [asked(&listener).await, asked(&listener).await];
    backends.sort_by_key(|(_, head)| field(head, "Revoir-Conn").as_ref() != Some(&speakers_name));
    let [(speakers, head), (listeners, other_head)] = &mut backends;
    accepted(speakers, head, "").await;
    // It would come before the answer to this.
    speakers.send(Opcode::Ping, b"").await;
    assert_eq!(speakers.frame().await, Some((Opcode::Pong, Vec::new())));
    accepted(listeners, other_head, "").await;
    assert_eq!(speakers.recv().await, "meanwhile");
}
