use std::sync::atomic::Ordering;
use std::time::Duration;

use revoir_proto::Role;
use revoir_proto::frame::Opcode;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::front::Settings;
use crate::rules::{Mode, Rules};
use crate::tests::support::{
    Counts, Setup, accepted, ask, asked, connected, field, frame, pair, pass, settings, soon, taken,
};

/// How long a client is held: less than the time between two pings.
const BUDGET: Duration = Duration::from_secs(10);

/// A gateway that waits for a backend's answer for so long.
fn answered_within(limit: Duration) -> Setup {
    Setup {
        settings: Settings {
            handshake_limit: limit,
            ..Settings::default()
        },
        rules: Rules {
            mode: Mode::Hold,
            lost_budget: BUDGET,
            ..Rules::default()
        },
        ..settings(Mode::Hold)
    }
}

#[tokio::test]
async fn half_a_frame_and_a_reset_are_nothing_to_a_held_client() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let (mut client, mut backend) = connected(&listener, &between).await;
    backend.text("whole").await;
    backend
        .write(&frame(Role::Server, Opcode::Text, &[b'x'; 500])[..200])
        .await;
    assert_eq!(client.recv().await, "whole");
    // An unread byte turns the close into a reset.
    client.text("unread").await;
    soon(backend.stream.readable()).await.unwrap();
    drop(backend);
    between.counts.held(1).await;
    client.send(Opcode::Ping, b"there?").await;
    assert_eq!(
        client.frame().await,
        Some((Opcode::Pong, b"there?".to_vec()))
    );
    let (mut backend, head) = taken(&listener).await;
    let resume = field(&head, "Revoir-Resume").expect("Revoir-Resume");
    assert!(
        resume.contains("written=1, received=1, maybe-lost=yes"),
        "{resume}"
    );
    backend.text("again").await;
    assert_eq!(client.recv().await, "again");
}

#[tokio::test]
async fn a_backend_that_accepts_tcp_and_says_nothing_costs_the_budget() {
    let budget = BUDGET;
    let (listener, between) = pair(answered_within(budget / 2)).await;
    let (mut client, backend) = connected(&listener, &between).await;
    drop(backend);
    let (_silent, _) = asked(&listener).await;
    pass(budget / 2).await;
    let failed = |counts: &Counts| counts.failed.load(Ordering::SeqCst);
    between.counts.at_least(failed, 1).await;
    pass(budget / 2).await;
    let (code, reason) = client.closed().await;
    assert_eq!(code, 1013, "{reason}");
    assert!(reason.contains("[after="), "{reason}");
}

#[tokio::test]
async fn a_proxy_that_answers_502_until_the_backend_is_back_is_waited_for() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let (mut client, backend) = connected(&listener, &between).await;
    drop(backend);
    for _ in 0..3 {
        let (mut proxy, _) = asked(&listener).await;
        proxy
            .write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            .await;
    }
    let (mut backend, _) = taken(&listener).await;
    client.text("still here").await;
    assert_eq!(backend.recv().await, "still here");
    assert_eq!(between.counts.failed.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn an_invalid_handshake_until_the_end_is_1014() {
    for accept in ["", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOx=\r\n"] {
        // The last try may not be over when the budget is.
        let limit = BUDGET * 2;
        let (listener, between) = pair(answered_within(limit)).await;
        let (mut client, backend) = connected(&listener, &between).await;
        drop(backend);
        let nonsense = tokio::spawn(async move {
            loop {
                let (mut backend, _) = asked(&listener).await;
                let answer = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                     Connection: Upgrade\r\n{accept}\r\n"
                );
                backend.write(answer.as_bytes()).await;
            }
        });
        let failed = |counts: &Counts| counts.failed.load(Ordering::SeqCst);
        between.counts.at_least(failed, 1).await;
        pass(BUDGET).await;
        assert_eq!(client.closed().await.0, 1014, "{accept}");
        nonsense.abort();
    }
}

#[tokio::test]
async fn half_a_long_message_of_a_lost_backend_ends_the_client() {
    // Between two frames there is room for a Close frame, inside one there is not.
    for missing in [0, 1] {
        let (listener, between) = pair(settings(Mode::Hold)).await;
        let (mut client, mut backend) = connected(&listener, &between).await;
        let mut long = frame(Role::Server, Opcode::Binary, &vec![7; 2 << 20]);
        // Another frame of the message would follow.
        long[0] &= 0x7F;
        backend.write(&long[..long.len() - missing]).await;
        soon(backend.stream.shutdown()).await.unwrap();
        let rest = client.rest().await;
        let sent = long.len() - missing;
        assert_eq!(rest[..sent], long[..sent]);
        match missing {
            0 => assert_eq!(rest[sent..][2..4], 1012_u16.to_be_bytes()),
            _ => assert!(rest[sent..].is_empty()),
        }
    }
}

#[tokio::test]
async fn a_refused_return_and_another_subprotocol_end_the_client() {
    let answers = [
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n",
        "",
    ];
    for answer in answers {
        let (listener, between) = pair(settings(Mode::Hold)).await;
        let mut client = ask(between.address, "Sec-WebSocket-Protocol: a, b\r\n").await;
        let (mut backend, head) = asked(&listener).await;
        accepted(&mut backend, &head, "Sec-WebSocket-Protocol: b\r\n").await;
        client.head().await;
        drop(backend);
        let (mut backend, head) = asked(&listener).await;
        assert_eq!(field(&head, "Sec-WebSocket-Protocol").as_deref(), Some("b"));
        match answer {
            "" => accepted(&mut backend, &head, "").await,
            answer => backend.write(answer.as_bytes()).await,
        }
        let (got, reason) = client.closed().await;
        assert_eq!(got, 1012, "{answer} {reason}");
        assert!(reason.contains("[after="), "{answer} {reason}");
    }
}

#[tokio::test]
async fn a_client_that_floods_while_held_is_slowed_down_and_loses_nothing() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let (mut client, backend) = connected(&listener, &between).await;
    let address = listener.local_addr().unwrap();
    drop((backend, listener));
    between.counts.held(1).await;
    let payload = "x".repeat(1000);
    let flood = tokio::spawn(async move {
        // Far more than the gateway and the sockets hold.
        for number in 0..20_000 {
            client.text(&format!("{number} {payload}")).await;
        }
        client
    });
    let listener = {
        between
            .counts
            .at_least(|counts| counts.failed.load(Ordering::SeqCst), 2)
            .await;
        TcpListener::bind(address).await.unwrap()
    };
    let (mut backend, _) = taken(&listener).await;
    for number in 0..20_000 {
        let got = backend.recv().await;
        assert!(
            got.starts_with(&format!("{number} ")),
            "{number}: {}",
            &got[..8]
        );
    }
    soon(flood).await.unwrap();
}

#[tokio::test]
async fn a_backend_that_floods_is_slowed_down_by_a_slow_client() {
    for mode in [Mode::Hold, Mode::Tunnel] {
        let (listener, between) = pair(settings(mode)).await;
        let (mut client, mut backend) = connected(&listener, &between).await;
        let payload = "x".repeat(10_000);
        let flood = tokio::spawn(async move {
            for number in 0..3000 {
                backend.text(&format!("{number} {payload}")).await;
            }
            backend
        });
        for number in 0..3000 {
            let got = client.recv().await;
            assert!(got.starts_with(&format!("{number} ")), "{number}");
        }
        soon(flood).await.unwrap();
    }
}

#[tokio::test]
async fn a_code_that_no_frame_may_carry_never_reaches_the_client() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let (mut client, mut backend) = connected(&listener, &between).await;
    backend.close(1006).await;
    assert_eq!(backend.closed().await.0, 1002);
    between.counts.held(1).await;
    let (mut backend, _) = taken(&listener).await;
    backend.text("back").await;
    assert_eq!(client.recv().await, "back");

    let (listener, between) = pair(settings(Mode::Tunnel)).await;
    let (mut client, mut backend) = connected(&listener, &between).await;
    backend.close(1006).await;
    assert_eq!(client.closed().await.0, 1011);
}

#[tokio::test]
async fn in_a_tunnel_a_lost_backend_is_1011_and_a_close_frame_passes() {
    let (listener, between) = pair(settings(Mode::Tunnel)).await;
    let (mut client, mut backend) = connected(&listener, &between).await;
    backend
        .write(&frame(Role::Server, Opcode::Text, b"half")[..3])
        .await;
    drop(backend);
    assert_eq!(client.closed().await.0, 1011);
    client.close(1011).await;
    assert!(client.rest().await.is_empty());

    let (mut client, mut backend) = connected(&listener, &between).await;
    backend.send(Opcode::Close, b"\x10\x01kicked").await;
    assert_eq!(client.closed().await, (4097, "kicked".to_owned()));
    client.close(4097).await;
    assert_eq!(backend.closed().await.0, 4097);
    assert!(backend.rest().await.is_empty());
    assert!(client.rest().await.is_empty());
}

#[tokio::test]
async fn closes_pass_in_both_directions_and_both_endings_are_told() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let (mut client, mut backend) = connected(&listener, &between).await;
    client.close(4000).await;
    assert_eq!(backend.closed().await.0, 4000);
    backend.close(4000).await;
    assert_eq!(client.closed().await.0, 4000);
    assert!(client.rest().await.is_empty());
    between
        .counts
        .at_least(|counts| counts.ended.lock().unwrap().len(), 2)
        .await;
    let ended = between.counts.ended.lock().unwrap().join("\n");
    assert!(
        ended.contains("client: 4000") && ended.contains("backend: 4000"),
        "{ended}"
    );
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_for_the_backend_to_judge() {
    for mode in [Mode::Hold, Mode::Tunnel] {
        let (listener, between) = pair(settings(mode)).await;
        let (mut client, mut backend) = connected(&listener, &between).await;
        client.send(Opcode::Text, b"\xff").await;
        assert_eq!(backend.frame().await, Some((Opcode::Text, vec![0xff])));
        backend.close(1007).await;
        assert_eq!(client.closed().await.0, 1007);
    }
}

#[tokio::test]
async fn a_client_that_goes_is_no_secret_to_the_backend() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    let (client, mut backend) = connected(&listener, &between).await;
    drop(client);
    assert_eq!(backend.closed().await.0, 1001);
    backend.close(1001).await;
    assert!(backend.rest().await.is_empty());
}

#[test]
fn every_row_of_the_fault_table_names_a_test() {
    let sources = [
        include_str!("auth_hook.rs"),
        include_str!("auto.rs"),
        include_str!("bad_paths.rs"),
        include_str!("faults.rs"),
        include_str!("handshake.rs"),
        include_str!("lifetime.rs"),
        include_str!("limits.rs"),
        include_str!("memory.rs"),
        include_str!("plain_http.rs"),
        include_str!("proxy_protocol.rs"),
        include_str!("routing.rs"),
        include_str!("sessions/stored.rs"),
        include_str!("silent.rs"),
        include_str!("smuggling.rs"),
        include_str!("tls.rs"),
        include_str!("reloading.rs"),
        include_str!("upstreams.rs"),
        include_str!("../connection/limits.rs"),
        include_str!("../front/head.rs"),
        include_str!("../front/headers.rs"),
        include_str!("../front/source.rs"),
        include_str!("../net/unix_socket.rs"),
        include_str!("../relay/tests/closing.rs"),
        include_str!("../relay/tests/keeping_alive.rs"),
        include_str!("../relay/tests/silence.rs"),
        include_str!("../relay/tests/watching.rs"),
        include_str!("../upstream/connecting.rs"),
        include_str!("../upstream/names.rs"),
        // Where the process matters.
        include_str!("../../testdata/error_log.rs"),
    ];
    let page = include_str!("../../docs/gateway.md");
    let (_, table) = page
        .split_once("| fault | the client sees | test |")
        .unwrap();
    let rows: Vec<&str> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(rows.len() > 20, "{rows:?}");
    for row in rows {
        let (_, tests) = row.trim_end_matches(" |").rsplit_once(" | ").unwrap();
        let names = tests.split(", ");
        for name in names {
            let signature = format!("fn {}()", name.trim_matches('`'));
            assert!(
                sources.iter().any(|source| source.contains(&signature)),
                "no test {name}"
            );
        }
    }
}
