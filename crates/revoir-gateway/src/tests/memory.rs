//! What clients can fill stands in one budget.

use std::time::Duration;

use bytes::Bytes;
use revoir_proto::Role;
use revoir_proto::frame::Opcode;
use tokio::io::AsyncWriteExt;

use crate::connection::Driver;
use crate::front::Settings;
use crate::rules::Mode;
use crate::tests::support::{
    Between, Raw, Setup, ask, asked, connected, dial, field, frame, pair, pass, route, settings,
    soon, taken,
};
use crate::upstream::MaybeTls;
use crate::watch::Limit;

const LIMIT: usize = 1_000_000;
const CLIENTS: usize = 60;

/// A message that is kept until it is whole, as it travels.
fn message() -> Vec<u8> {
    frame(Role::Client, Opcode::Binary, &vec![7; (1 << 20) - 100])
}

fn with_limit(held_bytes: usize, mode: Mode) -> Setup {
    Setup {
        settings: Settings {
            held_bytes,
            ..Settings::default()
        },
        ..settings(mode)
    }
}

impl Between {
    fn held_bytes(&self) -> usize {
        self.gateway.overview().held_bytes
    }

    /// Waits until so little is held.
    async fn holds_at_most(&self, bytes: usize) {
        soon(async {
            while self.held_bytes() > bytes {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// Reads until so many bytes have come.
async fn reads(backend: &mut Raw, bytes: usize) {
    while backend.input.len() < bytes {
        assert!(backend.more().await);
    }
}

/// An idle client costs its task, whatever it has said: what is larger costs that for each of thousands.
#[test]
fn a_connection_takes_little_memory_by_itself() {
    fn future<F>(_: impl FnOnce(Driver<MaybeTls>, Bytes, Bytes) -> F) -> usize {
        size_of::<F>()
    }
    let (driver, task) = (size_of::<Driver<MaybeTls>>(), future(Driver::run));
    assert!(driver <= 1400, "{driver}");
    assert!(task <= driver + 128, "{task}");
    // The handler of a session, which is there while its client is away.
    let task = future(Driver::handle);
    assert!(task <= driver + 128, "{task}");
}

#[tokio::test]
async fn unfinished_messages_of_all_clients_stay_within_the_limit_and_arrive() {
    for mode in [Mode::Hold, Mode::Tunnel] {
        let (listener, between) = pair(with_limit(LIMIT, mode)).await;
        let wire = message();
        let (most, last) = wire.split_at(wire.len() - 1);
        let mut all = Vec::new();
        for _ in 0..CLIENTS {
            let (mut client, mut backend) = connected(&listener, &between).await;
            let before = between.held_bytes();
            let writing = client.write(most);
            let reading = async {
                // What finds no room goes on.
                if before > LIMIT / 2 {
                    reads(&mut backend, most.len()).await;
                }
            };
            tokio::join!(writing, reading);
            assert!(between.held_bytes() <= LIMIT, "{}", between.held_bytes());
            all.push((client, backend));
        }
        // Others go on as before.
        let (mut client, mut backend) = connected(&listener, &between).await;
        client.text("short").await;
        assert_eq!(backend.recv().await, "short");
        for (client, backend) in &mut all {
            client.write(last).await;
            let got = soon(backend.frame()).await;
            assert!(got.is_some_and(|(_, payload)| payload.len() == (1 << 20) - 100));
        }
        between.holds_at_most(0).await;
    }
}

#[tokio::test]
async fn whoever_keeps_memory_for_nothing_lets_go_where_it_is_short() {
    const PART: usize = 200_000;
    let setup = with_limit(LIMIT, Mode::Hold);
    let (listener, between) = pair(setup.clone()).await;
    let wire = message();
    let mut all = Vec::new();
    for number in 1..=2 {
        let (mut client, backend) = connected(&listener, &between).await;
        client.write(&wire[..PART]).await;
        soon(async {
            while between.held_bytes() < number * PART {
                tokio::task::yield_now().await;
            }
        })
        .await;
        all.push((client, backend));
    }
    // Nobody says anything more, and now that is too much.
    let route = route(listener.local_addr().unwrap(), &setup);
    let less = with_limit(PART, Mode::Hold).settings;
    between.gateway.reload(vec![route], less, Duration::ZERO);
    pass(Duration::from_secs(1)).await;
    between.holds_at_most(0).await;
    for (client, backend) in &mut all {
        reads(backend, PART).await;
        client.write(&wire[PART..]).await;
        let got = soon(backend.frame()).await;
        assert!(got.is_some_and(|(_, payload)| payload.len() == (1 << 20) - 100));
    }
}

#[tokio::test]
async fn where_there_is_no_room_nobody_new_comes() {
    let (listener, between) = pair(with_limit(LIMIT, Mode::Hold)).await;
    // They do not read: what their backends send waits for them.
    let mut clients = Vec::new();
    while between.held_bytes() < LIMIT {
        let (client, mut backend) = connected(&listener, &between).await;
        let flood = tokio::spawn(async move {
            let wire = frame(Role::Server, Opcode::Binary, &vec![7; 1 << 19]);
            while backend.stream.write_all(&wire).await.is_ok() {}
        });
        clients.push((client, flood));
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
    }
    let mut refused = ask(between.address, "").await;
    let head = refused.head().await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(head.contains("retry-after: "), "{head}");
    let mut plain = dial(between.address).await;
    plain.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let head = plain.head().await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert_eq!(between.counts.limited(Limit::Held), 2);
    for (client, flood) in clients {
        flood.abort();
        drop(client);
    }
}

#[tokio::test]
async fn what_has_come_of_heads_counts_and_a_long_one_finds_no_room() {
    let (listener, between) = pair(with_limit(20_000, Mode::Hold)).await;
    let held = || between.gateway.overview().held_bytes;
    let mut half = dial(between.address).await;
    half.write(b"GET / HTTP/1.1\r\nHost: a\r\n").await;
    soon(async {
        while held() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut long = dial(between.address).await;
    long.write(&[b"GET / HTTP/1.1\r\nHost: a\r\nX: ", &[b'a'; 30_000][..]].concat())
        .await;
    let head = long.head().await;
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(field(&head, "Retry-After").is_some(), "{head}");
    between
        .counts
        .at_least(|counts| counts.limited(Limit::Held), 1)
        .await;
    // The short one goes on, and what its client asked for is kept as long as that is there.
    half.write(b"Connection: close\r\n\r\n").await;
    let (mut backend, _) = asked(&listener).await;
    backend
        .write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        .await;
    assert!(half.head().await.starts_with("HTTP/1.1 204 "));
    half.rest().await;
    soon(async {
        while held() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut client = ask(between.address, &format!("X: {}\r\n", "a".repeat(10_000))).await;
    let _backend = taken(&listener).await;
    client.head().await;
    assert!(held() > 5000, "{}", held());
}

#[tokio::test]
async fn bodies_on_their_way_count_and_leave_room_for_others() {
    let (listener, between) = pair(with_limit(100_000, Mode::Hold)).await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\n";
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\nhe");
    let mut all = Vec::new();
    // Each takes up what passes it on.
    for most in [50_000, 100_000] {
        let mut client = dial(between.address).await;
        client.write(chunked.as_bytes()).await;
        all.push((client, asked(&listener).await));
        soon(async {
            while between.held_bytes() < most - 10_000 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert!(between.held_bytes() < most, "{}", between.held_bytes());
    }
    let mut refused = dial(between.address).await;
    refused.write(chunked.as_bytes()).await;
    assert!(refused.head().await.starts_with("HTTP/1.1 503 "));
    assert_eq!(between.counts.limited(Limit::Held), 1);
    // Whoever has no body comes in, and a short one waits where it costs little.
    let mut short = dial(between.address).await;
    let (begin, end) = (format!("{head}Content-Length: 5\r\n\r\nhe"), b"llo");
    short.write(begin.as_bytes()).await;
    connected(&listener, &between).await;
    drop(all);
    between.holds_at_most(1000).await;
    short.write(end).await;
    let (mut backend, _) = asked(&listener).await;
    backend
        .write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        .await;
    assert!(short.head().await.starts_with("HTTP/1.1 204 "));
}
