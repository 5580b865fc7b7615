//! Connections whose hello can be said again.

use std::time::Duration;

use revoir_adapters::{Protocol, Unholdable};
use revoir_codes::{CloseCode, Slot};
use revoir_proto::Role;
use revoir_proto::extension::deflate::{Compressor, Direction, WindowBits};
use revoir_proto::frame::Opcode;
use tokio::net::TcpListener;

use crate::front::{Destination, RouteSettings, Settings};
use crate::rules::{Mode, ProtocolRule};
use crate::tests::ports::listen_async;
use crate::tests::support::{
    Between, Raw, accepted, asked, dial, field, frame, pair, pass, request, routed, settings, soon,
    target,
};
use crate::treatment::{HeldBy, Treatment, TunnelCause};
use crate::upstream::PoolSettings;

const OPEN: &str = r#"0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;

/// A client that asks for `/chat` with this query.
async fn came(between: &Between, query: &str, lines: &str) -> Raw {
    let mut client = dial(between.address).await;
    let request = request(lines).replace("/chat?a=b", &format!("/socket.io/?{query}"));
    client.write(request.as_bytes()).await;
    client
}

/// A client of Socket.IO in its first namespace, and its backend.
async fn connected(listener: &TcpListener, between: &Between) -> (Raw, Raw) {
    let mut client = came(between, "EIO=4&transport=websocket", "").await;
    let (mut backend, head) = asked(listener).await;
    accepted(&mut backend, &head, "").await;
    client.head().await;
    backend.text(OPEN).await;
    assert_eq!(client.recv().await, OPEN);
    client.text("40").await;
    assert_eq!(backend.recv().await, "40");
    backend.text(r#"40{"sid":"a"}"#).await;
    assert_eq!(client.recv().await, r#"40{"sid":"a"}"#);
    (client, backend)
}

fn treatment(between: &Between) -> Treatment {
    between.gateway.handles()[0].treatment()
}

async fn sent_back(client: &mut Raw) {
    let (code, reason) = client.closed().await;
    let slot = Slot::read(CloseCode::from(code), &reason);
    assert!(code == 1012 && slot.is_some(), "{code} {reason}");
}

#[tokio::test]
async fn a_socket_io_client_is_connected_to_its_namespaces_again() {
    let (listener, between) = pair(settings(Mode::Auto)).await;
    let (mut client, backend) = connected(&listener, &between).await;
    let held = Treatment::Hold(HeldBy::Protocol(Protocol::SocketIo));
    assert_eq!(treatment(&between), held);
    drop(backend);
    between.counts.held(1).await;
    client.text(r#"42["meanwhile"]"#).await;
    let (mut backend, head) = asked(&listener).await;
    accepted(&mut backend, &head, "").await;
    backend.text(OPEN).await;
    assert_eq!(backend.recv().await, "40");
    backend.text(r#"40{"sid":"b"}"#).await;
    assert_eq!(backend.recv().await, r#"42["meanwhile"]"#);
    assert_eq!(client.recv().await, r#"40{"sid":"b"}"#);
}

#[tokio::test]
async fn a_session_that_began_by_polling_is_a_tunnel_with_that_reason() {
    let (listener, between) = pair(settings(Mode::Auto)).await;
    let mut client = came(&between, "EIO=4&transport=websocket&sid=e", "").await;
    let (mut backend, head) = asked(&listener).await;
    accepted(&mut backend, &head, "").await;
    client.head().await;
    let treatment = treatment(&between);
    let is_tunnel = matches!(treatment, Treatment::Tunnel(TunnelCause::Protocol(_)));
    assert!(is_tunnel, "{treatment}");
    assert!(treatment.to_string().contains("polling"), "{treatment}");
    drop(backend);
    sent_back(&mut client).await;
}

#[tokio::test]
async fn signalr_is_a_tunnel_with_that_reason() {
    let (listener, between) = pair(settings(Mode::Auto)).await;
    let mut client = came(&between, "id=8J2bQ-x_3kEwXqYh0aZb1Q", "").await;
    let (mut backend, head) = asked(&listener).await;
    accepted(&mut backend, &head, "").await;
    client.head().await;
    let treatment = treatment(&between);
    assert!(treatment.to_string().contains("SignalR"), "{treatment}");
    drop(backend);
    sent_back(&mut client).await;
}

#[tokio::test]
async fn an_emit_that_awaits_its_ack_is_told_as_a_restart() {
    let (listener, between) = pair(settings(Mode::Auto)).await;
    let (mut client, mut backend) = connected(&listener, &between).await;
    client.text(r#"421["save"]"#).await;
    assert_eq!(backend.recv().await, r#"421["save"]"#);
    drop(backend);
    sent_back(&mut client).await;
}

#[tokio::test]
async fn a_route_can_do_without_adapters() {
    let mut setup = settings(Mode::Auto);
    setup.rules.protocol = ProtocolRule::None;
    let (listener, between) = pair(setup).await;
    let (mut client, backend) = connected(&listener, &between).await;
    let tunnel = Treatment::Tunnel(TunnelCause::Nobody);
    assert_eq!(treatment(&between), tunnel);
    drop(backend);
    sent_back(&mut client).await;
}

#[tokio::test]
async fn a_protocol_that_was_named_and_is_not_spoken_is_a_tunnel() {
    let mut setup = settings(Mode::Auto);
    setup.rules.protocol = ProtocolRule::Named(Protocol::GraphqlTransportWs);
    let (listener, between) = pair(setup).await;
    let (mut client, backend) = connected(&listener, &between).await;
    let treatment = treatment(&between);
    let is_final = |why: Unholdable| why.is_final();
    let is_tunnel =
        matches!(treatment, Treatment::Tunnel(TunnelCause::Protocol(why)) if is_final(why));
    assert!(is_tunnel, "{treatment}");
    drop(backend);
    sent_back(&mut client).await;
}

#[tokio::test]
async fn compressed_messages_are_read_where_each_stands_alone() {
    let (listener, between) = pair(settings(Mode::Auto)).await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let mut client = came(&between, "EIO=4&transport=websocket", offer).await;
    let (mut backend, head) = asked(&listener).await;
    let alone = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let offered = field(&head, "Sec-WebSocket-Extensions").unwrap();
    assert_eq!(offered, format!("{alone}, permessage-deflate"));
    let answer = format!("Sec-WebSocket-Extensions: {alone}\r\n");
    accepted(&mut backend, &head, &answer).await;
    client.head().await;
    backend.text(OPEN).await;
    client.recv().await;
    let direction = Direction {
        context_takeover: false,
        max_window_bits: WindowBits::MAX,
    };
    let mut deflated = Vec::new();
    Compressor::new(direction, 6).compress(br#"40/room,{"token":"t"}"#, &mut deflated);
    let mut wire = frame(Role::Client, Opcode::Text, &deflated);
    wire[0] |= 0x40;
    client.write(&wire).await;
    backend.frame().await;
    backend.text(r#"40/room,{"sid":"a"}"#).await;
    client.recv().await;
    drop(backend);
    let (mut backend, head) = asked(&listener).await;
    accepted(&mut backend, &head, &answer).await;
    backend.text(OPEN).await;
    assert_eq!(backend.recv().await, r#"40/room,{"token":"t"}"#);
}

#[tokio::test]
async fn what_a_client_said_meanwhile_is_heard_by_those_who_return_with_it() {
    let (listener, between) = pair(settings(Mode::Auto)).await;
    let (mut speaker, one) = connected(&listener, &between).await;
    let (mut listens, other) = connected(&listener, &between).await;
    drop((one, other));
    between.counts.held(2).await;
    speaker.text(r#"42["meanwhile"]"#).await;
    let mut backends = Vec::new();
    for _ in 0..2 {
        let (mut backend, head) = asked(&listener).await;
        accepted(&mut backend, &head, "").await;
        backend.text(OPEN).await;
        assert_eq!(backend.recv().await, "40");
        let name = field(&head, "Revoir-Conn").unwrap();
        backends.push((name, backend));
    }
    let first = between
        .gateway
        .handles()
        .iter()
        .map(|one| one.name.to_string())
        .min();
    backends.sort_by_key(|(name, _)| Some(name) != first.as_ref());
    let [(_, speakers), (_, listeners)] = &mut backends[..] else {
        panic!("two backends");
    };
    speakers.text(r#"40{"sid":"b"}"#).await;
    assert_eq!(speaker.recv().await, r#"40{"sid":"b"}"#);
    // It would come before the answer to this.
    speakers.send(Opcode::Ping, b"").await;
    assert_eq!(speakers.frame().await, Some((Opcode::Pong, Vec::new())));
    listeners.text(r#"40{"sid":"c"}"#).await;
    assert_eq!(listens.recv().await, r#"40{"sid":"c"}"#);
    // Both programs have had their turn, and the backends have read what they said.
    for (client, backend) in [(&mut speaker, speakers), (&mut listens, listeners)] {
        for _ in 0..2 {
            assert_eq!(client.recv().await, "2");
            client.text("3").await;
        }
        let Some((Opcode::Ping, id)) = backend.frame().await else {
            panic!("a ping");
        };
        backend.send(Opcode::Pong, &id).await;
    }
    assert_eq!(backends[0].1.recv().await, r#"42["meanwhile"]"#);
}

/// A client of MQTT with a subscription, and its backend.
async fn subscribed(listener: &TcpListener, between: &Between) -> (Raw, Raw) {
    let mut client = came(between, "", MQTT).await;
    let (mut backend, head) = asked(listener).await;
    accepted(&mut backend, &head, MQTT).await;
    client.head().await;
    let connect = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04same";
    let subscribe = b"\x82\x08\x00\x01\x00\x03a/b\x00";
    for (asks, answers) in [
        (&connect[..], &b"\x20\x02\x00\x00"[..]),
        (subscribe, b"\x90\x03\x00\x01\x00"),
    ] {
        client.send(Opcode::Binary, asks).await;
        assert_eq!(backend.frame().await, Some((Opcode::Binary, asks.to_vec())));
        backend.send(Opcode::Binary, answers).await;
        let answer = Some((Opcode::Binary, answers.to_vec()));
        assert_eq!(client.frame().await, answer);
    }
    (client, backend)
}

const MQTT: &str = "Sec-WebSocket-Protocol: mqtt\r\n";

/// A broker drops a client whose id another one has taken. Said again, its hello would drop that one.
#[tokio::test]
async fn a_client_whose_broker_was_there_and_dropped_it_is_sent_back_whoever_else_comes() {
    let (listener, between) = pair(settings(Mode::Auto)).await;
    let (mut client, backend) = subscribed(&listener, &between).await;
    let held = Treatment::Hold(HeldBy::Protocol(Protocol::Mqtt));
    assert_eq!(treatment(&between), held);
    drop(backend);
    between.counts.held(1).await;
    // Is it away?
    let (probe, _) = soon(listener.accept()).await.unwrap();
    let (mut dropped, head) = asked(&listener).await;
    drop(probe);
    // Somebody else is accepted meanwhile.
    pass(Duration::from_secs(2)).await;
    let _other = came(&between, "", MQTT).await;
    let (mut other, others_head) = asked(&listener).await;
    accepted(&mut other, &others_head, MQTT).await;
    accepted(&mut dropped, &head, MQTT).await;
    sent_back(&mut client).await;
}

/// Where another broker of the route has fewer clients, nobody goes by the one that has died to find out.
#[tokio::test]
async fn the_clients_of_one_of_two_brokers_that_dies_are_held() {
    let (first, second) = (listen_async(), listen_async());
    let at = |listener: &TcpListener| target(listener.local_addr().unwrap());
    let pool = PoolSettings {
        more: vec![at(&second)],
        ..PoolSettings::new(at(&first))
    };
    let route = RouteSettings::new("/", Destination::Upstreams(pool));
    let between = routed(vec![route], Settings::default()).await;
    let (_client, backend) = subscribed(&first, &between).await;
    let (passing, passed) = subscribed(&second, &between).await;
    let _stays = subscribed(&first, &between).await;
    drop((passing, passed));
    between.left(2).await;
    drop(first);
    drop(backend);
    let (mut next, head) = asked(&second).await;
    accepted(&mut next, &head, MQTT).await;
    let hello = next.frame().await;
    assert!(matches!(hello, Some((Opcode::Binary, hello)) if hello[0] == 0x10));
}
