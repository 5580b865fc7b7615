//! What clients may ask for, and how they are told that it is too much.

use std::num::NonZeroU32;
use std::time::Duration;

use revoir::server::Origins;
use revoir_proto::Role;
use revoir_proto::frame::Opcode;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket};

use crate::client_rate::ClientRate;
use crate::connection::ClientLimits;
use crate::front::Settings;
use crate::rules::{Mode, Rules};
use crate::tests::ports::listen_async;
use crate::tests::support::{
    Raw, Setup, accepted, ask, asked, connected, dial, field, frame, pair, pass, request, settings,
    soon, taken,
};
use crate::watch::Limit;

/// A limit that no step of a test comes near in real time.
const LONG: Duration = Duration::from_secs(5);

fn setup(change: impl FnOnce(&mut Settings)) -> Setup {
    let mut setup = settings(Mode::Hold);
    change(&mut setup.settings);
    setup
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn another_client_in_all_is_503_and_from_one_address_429() {
    for (room, expected, limit) in [
        (
            ClientLimits {
                in_all: 2,
                ..ClientLimits::default()
            },
            "503",
            Limit::Connections,
        ),
        (
            ClientLimits {
                per_address: 2,
                ..ClientLimits::default()
            },
            "429",
            Limit::Address,
        ),
    ] {
        let (listener, between) = pair(setup(|settings| settings.room = room)).await;
        let (mut client, mut backend) = connected(&listener, &between).await;
        // A handshake that is not answered counts as well.
        let _waiting = ask(between.address, "").await;
        let (mut silent, head) = asked(&listener).await;
        let refused = ask(between.address, "").await.head().await;
        assert_eq!(status(&refused), expected, "{refused}");
        assert!(field(&refused, "Retry-After").is_some(), "{refused}");
        assert_eq!(between.counts.limited(limit), 1);
        accepted(&mut silent, &head, "").await;
        // Somebody leaves, so somebody may come.
        client.close(1000).await;
        backend.closed().await;
        backend.close(1000).await;
        client.closed().await;
        let ended = |counts: &super::support::Counts| counts.ended.lock().unwrap().len();
        between.counts.at_least(ended, 2).await;
        between.left(1).await;
        connected(&listener, &between).await;
    }
}

#[tokio::test]
async fn handshakes_over_the_rate_are_503_with_a_time_to_come_back() {
    let room = ClientLimits {
        per_second: NonZeroU32::new(1),
        ..ClientLimits::default()
    };
    let (listener, between) = pair(setup(|settings| settings.room = room)).await;
    let _first = connected(&listener, &between).await;
    let refused = ask(between.address, "").await.head().await;
    assert_eq!(status(&refused), "503", "{refused}");
    assert!(field(&refused, "Retry-After").is_some(), "{refused}");
    assert_eq!(between.counts.limited(Limit::Rate), 1);
}

#[tokio::test]
async fn a_request_that_does_not_come_in_time_is_408() {
    let (listener, between) = pair(settings(Mode::Hold)).await;
    // One byte at a time, and never all of them.
    let mut slow = dial(between.address).await;
    slow.write(&request("").as_bytes()[..20]).await;
    let mut silent = dial(between.address).await;
    // Somebody who came later is in, so the time of those two runs.
    let (mut client, mut backend) = connected(&listener, &between).await;
    pass(Settings::default().handshake_limit).await;
    let answer = slow.rest().await;
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let length = field(head, "Content-Length").unwrap();
    assert_eq!(length, body.len().to_string());
    between
        .counts
        .at_least(|counts| counts.limited(Limit::Time), 1)
        .await;
    // Whoever says nothing is told nothing.
    assert!(silent.rest().await.is_empty());
    let lines = |counts: &super::support::Counts| counts.answered.lock().unwrap().len();
    between.counts.at_least(lines, 1).await;
    assert_eq!(*between.counts.answered.lock().unwrap(), [408]);
    // After the handshake there is no such limit.
    client.text("still here").await;
    assert_eq!(backend.recv().await, "still here");
}

#[tokio::test]
async fn a_long_head_is_431_and_is_counted() {
    let (_listener, between) = pair(setup(|_| {})).await;
    for (count, bytes) in [(1, 100_000), (2, 33_000)] {
        let mut client = dial(between.address).await;
        let long = "x".repeat(bytes);
        client
            .write(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {long}\r\n\r\n").as_bytes())
            .await;
        assert_eq!(status(&client.head().await), "431", "{bytes}");
        between
            .counts
            .at_least(|counts| counts.limited(Limit::Head), count)
            .await;
        drop(client);
        let lines = |counts: &super::support::Counts| counts.answered.lock().unwrap().len();
        between.counts.at_least(lines, count).await;
    }
    assert_eq!(*between.counts.answered.lock().unwrap(), [431, 431]);
}

#[tokio::test]
async fn what_is_no_request_has_a_line_too() {
    let (_listener, between) = pair(setup(|_| {})).await;
    let mut client = dial(between.address).await;
    client.write(b"\x16\x03\x01 this is TLS\r\n\r\n").await;
    assert_eq!(status(&client.head().await), "400");
    let lines = |counts: &super::support::Counts| counts.answered.lock().unwrap().len();
    between.counts.at_least(lines, 1).await;
    assert_eq!(*between.counts.answered.lock().unwrap(), [400]);
}

#[tokio::test]
async fn a_long_message_is_1009() {
    let setup = Setup {
        rules: Rules {
            client_message: 100,
            mode: Mode::Hold,
            ..Rules::default()
        },
        ..settings(Mode::Hold)
    };
    let (listener, between) = pair(setup).await;
    let (mut client, mut backend) = connected(&listener, &between).await;
    client.text(&"x".repeat(100)).await;
    assert_eq!(backend.recv().await.len(), 100);
    client.text(&"x".repeat(101)).await;
    assert_eq!(client.closed().await.0, 1009);
    assert_eq!(backend.closed().await.0, 1001);
}

#[tokio::test]
async fn all_holds_together_keep_no_more_than_the_limit_and_then_it_is_1013() {
    const CLIENTS: usize = 4;
    const LIMIT: usize = 100_000;
    let setup = Setup {
        rules: Rules {
            // The budget is longer than an interval.
            keepalive: None,
            mode: Mode::Hold,
            ..Rules::default()
        },
        ..setup(|settings| settings.held_bytes = LIMIT)
    };
    let (listener, between) = pair(setup).await;
    let (mut clients, mut backends) = (Vec::new(), Vec::new());
    for _ in 0..CLIENTS {
        let (client, backend) = connected(&listener, &between).await;
        clients.push(client);
        backends.push(backend);
    }
    drop(listener);
    for backend in &mut backends {
        backend.close(1012).await;
    }
    between.counts.held(CLIENTS).await;
    // Each may send 64 KiB, all together less than two of them can.
    let payload = "x".repeat(10_000);
    for client in &mut clients {
        for _ in 0..6 {
            client.text(&payload).await;
        }
    }
    // One at most has sent everything.
    let crowded = CLIENTS - 1;
    between
        .counts
        .at_least(|counts| counts.limited(Limit::Held), crowded)
        .await;
    assert!(between.gateway.overview().held_bytes <= LIMIT);
    pass(Rules::default().planned_budget).await;
    let mut codes = Vec::new();
    for mut client in clients {
        let (code, reason) = client.closed().await;
        assert!(reason.contains("[after="), "{reason}");
        codes.push(code);
        client.close(code).await;
        client.rest().await;
    }
    let too_many = codes.iter().filter(|code| **code == 1013).count();
    assert!(too_many >= crowded, "{codes:?}");
    between.left(0).await;
    assert_eq!(between.gateway.overview().held_bytes, 0);
}

#[tokio::test]
async fn a_page_from_elsewhere_is_403_if_that_is_wanted() {
    let asks = async |origins: Origins, origin: &str| {
        let setup = Setup {
            origins,
            ..settings(Mode::Hold)
        };
        let (listener, between) = pair(setup).await;
        let lines = match origin {
            "" => String::new(),
            origin => format!("Origin: {origin}\r\n"),
        };
        let mut client = ask(between.address, &lines).await;
        let answered = async {
            let _backend = taken(&listener).await;
            std::future::pending::<()>().await;
        };
        let head = tokio::select! {
            head = client.head() => head,
            () = answered => unreachable!(),
        };
        status(&head).to_owned()
    };
    let listed = || Origins::only(["https://app.example"]);
    assert_eq!(asks(listed(), "https://app.example").await, "101");
    assert_eq!(asks(listed(), "http://chat.example").await, "101");
    assert_eq!(asks(listed(), "").await, "101");
    assert_eq!(asks(listed(), "https://evil.example").await, "403");
    assert_eq!(asks(listed(), "null").await, "403");
    assert_eq!(asks(Origins::Any, "https://evil.example").await, "101");
}

#[tokio::test]
async fn what_a_trusted_proxy_says_reaches_the_backend() {
    let lines = "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Request-Id: 7f3a\r\n";
    for (trusted, expected) in [
        ("127.0.0.0/8", "192.0.2.1, 127.0.0.1"),
        ("10.0.0.0/8", "127.0.0.1"),
    ] {
        let trusted = vec![trusted.parse().unwrap()].into();
        let (listener, between) = pair(setup(|settings| settings.trusted = trusted)).await;
        let mut client = ask(between.address, lines).await;
        let (mut backend, head) = taken(&listener).await;
        assert_eq!(field(&head, "X-Forwarded-For").as_deref(), Some(expected));
        let id = field(&head, "X-Request-Id").unwrap();
        assert_eq!(id == "7f3a", expected != "127.0.0.1", "{id}");
        client.head().await;
        // A return says the same.
        backend.close(1012).await;
        let (_backend, head) = taken(&listener).await;
        assert_eq!(field(&head, "X-Forwarded-For").as_deref(), Some(expected));
        assert_eq!(field(&head, "X-Request-Id"), Some(id));
        client.send(Opcode::Ping, b"").await;
    }
}

#[tokio::test]
async fn a_client_behind_a_trusted_proxy_counts_by_its_own_address() {
    let (listener, between) = pair(setup(|settings| {
        settings.trusted = vec!["127.0.0.1/32".parse().unwrap()].into();
        settings.room.per_address = 1;
    }))
    .await;
    let mut clients = Vec::new();
    for (address, expected) in [
        ("192.0.2.1", "101"),
        ("192.0.2.2", "101"),
        ("192.0.2.1", "429"),
    ] {
        let mut client = ask(between.address, &format!("X-Forwarded-For: {address}\r\n")).await;
        if expected == "101" {
            clients.push(taken(&listener).await);
        }
        let head = client.head().await;
        assert_eq!(status(&head), expected, "{head}");
        clients.push((client, head));
    }
}

#[tokio::test]
async fn a_listener_that_is_gone_leaves_no_room_taken() {
    let listener = listen_async();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let setup = setup(|settings| settings.room.in_all = 1);
    let between = super::support::gateway(address, setup).await;
    let mut client = ask(between.address, "").await;
    between.away().await;
    pass(Settings::default().wait_limit).await;
    assert_eq!(status(&client.head().await), "503");
    let listener = TcpListener::bind(address).await.unwrap();
    connected(&listener, &between).await;
    assert_eq!(between.counts.limited(Limit::Connections), 0);
}

#[tokio::test]
async fn a_body_that_does_not_go_on_is_408() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\n";
    // A short one waits here for its end, and nothing else has to happen in its time. The others are passed on as
    // they come.
    for (rest, is_passed_on, limit) in [
        (
            "Content-Length: 5\r\n\r\nhe".to_owned(),
            false,
            Duration::from_millis(100),
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhe".to_owned(),
            true,
            LONG,
        ),
        (
            format!("Content-Length: 6000\r\n\r\n{}", "a".repeat(5000)),
            true,
            LONG,
        ),
    ] {
        let (listener, between) = pair(setup(|settings| settings.http.body = limit)).await;
        let mut client = dial(between.address).await;
        client.write(format!("{head}{rest}").as_bytes()).await;
        let mut _backend = None;
        if is_passed_on {
            _backend = Some(asked(&listener).await);
            pass(limit).await;
        }
        let head = client.head().await;
        assert_eq!(status(&head), "408", "{head}");
        client.rest().await;
        assert_eq!(between.counts.limited(Limit::Time), 1);
        assert_eq!(*between.counts.answered.lock().unwrap(), [408]);
    }
}

#[tokio::test]
async fn a_plain_request_without_an_answer_is_504() {
    let (listener, between) = pair(setup(|settings| settings.http.response = LONG)).await;
    let mut client = dial(between.address).await;
    client.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let _silent = asked(&listener).await;
    pass(LONG).await;
    let head = client.head().await;
    assert_eq!(status(&head), "504", "{head}");
}

#[tokio::test]
async fn there_is_a_limit_for_connections_of_every_kind() {
    let (listener, between) = pair(setup(|settings| settings.sockets = 2)).await;
    let _open = connected(&listener, &between).await;
    let mut unfinished = dial(between.address).await;
    unfinished
        .write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe")
        .await;
    let _backend = asked(&listener).await;
    let mut refused = ask(between.address, "").await;
    let head = refused.head().await;
    assert_eq!(status(&head), "503", "{head}");
    assert_eq!(field(&head, "Retry-After").as_deref(), Some("5"));
    assert_eq!(between.counts.limited(Limit::Sockets), 1);
}

#[tokio::test]
async fn a_backend_that_is_away_is_waited_for_by_so_many_and_no_longer_than_that() {
    let (listener, between) = pair(setup(|settings| settings.waiting = 1)).await;
    drop(listener);
    // It finds out that nobody is there, and waits.
    let mut first = ask(between.address, "").await;
    between.away().await;
    let refused = ask(between.address, "").await.head().await;
    assert_eq!(status(&refused), "503", "{refused}");
    assert!(field(&refused, "Retry-After").is_some(), "{refused}");
    assert_eq!(between.counts.limited(Limit::Waiting), 1);
    assert_eq!(between.gateway.overview().waiting, 1);
    pass(Settings::default().wait_limit).await;
    assert_eq!(status(&first.head().await), "503");
    assert_eq!(between.gateway.overview().waiting, 0);
    assert_eq!(between.gateway.overview().held_bytes, 0);
}

#[tokio::test]
async fn there_is_a_limit_for_connections_of_every_kind_from_one_address() {
    let (listener, between) = pair(setup(|settings| settings.sockets_per_address = 2)).await;
    let open = connected(&listener, &between).await;
    let mut slow = dial(between.address).await;
    slow.write(b"GET / HTTP/1.1\r\n").await;
    let mut refused = dial(between.address).await;
    let head = refused.head().await;
    assert_eq!(status(&head), "429", "{head}");
    assert_eq!(field(&head, "Retry-After").as_deref(), Some("5"));
    refused.rest().await;
    assert_eq!(between.counts.limited(Limit::Address), 1);
    // Others are not concerned, and whoever leaves makes room.
    let other = TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let other = other.connect(between.address).await.unwrap();
    let mut other = Raw::new(other, Role::Client);
    other.write(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(status(&other.head().await), "404");
    drop(open);
    soon(async {
        loop {
            let mut client = dial(between.address).await;
            client
                .write(b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                .await;
            if status(&client.head().await) == "404" {
                return;
            }
        }
    })
    .await;
}

/// Frames that are as cheap to send as messages count as such.
#[tokio::test]
async fn pings_and_short_fragments_count_for_the_rate_of_messages() {
    let rate = ClientRate {
        messages_per_second: NonZeroU32::new(10),
        ..ClientRate::default()
    };
    for mode in [Mode::Hold, Mode::Tunnel] {
        let mut setup = settings(mode);
        setup.rules.client_rate = rate;
        let fragments = |opcode, payload: &[u8]| {
            let mut wire = frame(Role::Client, opcode, payload);
            wire[0] &= 0x7f;
            wire
        };
        let begin = fragments(Opcode::Text, b"");
        for (first, again) in [
            (vec![], frame(Role::Client, Opcode::Ping, b"x")),
            (vec![], frame(Role::Client, Opcode::Pong, b"")),
            (begin.clone(), fragments(Opcode::Continuation, b"")),
            (begin.clone(), fragments(Opcode::Continuation, &[b'a'; 125])),
        ] {
            let (listener, between) = pair(setup.clone()).await;
            let (mut client, _backend) = connected(&listener, &between).await;
            client.write(&[first, again.repeat(100)].concat()).await;
            let payload = loop {
                match soon(client.frame()).await {
                    Some((Opcode::Close, payload)) => break payload,
                    // Pings are answered.
                    other => assert!(other.is_some_and(|(opcode, _)| opcode == Opcode::Pong)),
                }
            };
            assert_eq!(payload[..2], 1008_u16.to_be_bytes());
            assert_eq!(&payload[2..], b"more than 10 messages per second");
            assert_eq!(between.counts.limited(Limit::Messages), 1);
        }
        // Longer ones cost bytes.
        let (listener, between) = pair(setup.clone()).await;
        let (mut client, mut backend) = connected(&listener, &between).await;
        let long = fragments(Opcode::Continuation, &[b'a'; 126]);
        let last = frame(Role::Client, Opcode::Continuation, b"");
        client
            .write(&[begin, long.repeat(100), last].concat())
            .await;
        while backend.input.len() < 100 * 126 {
            assert!(backend.more().await);
        }
        assert_eq!(between.counts.limited(Limit::Messages), 0);
    }
}

/// What has come behind a request does not hide that its client has left.
#[tokio::test]
async fn a_handshake_whose_client_has_left_waits_no_longer() {
    let (listener, between) = pair(setup(|settings| settings.waiting = 1)).await;
    drop(listener);
    for behind in ["", "x", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let mut waiting = ask(between.address, "").await;
        waiting.write(behind.as_bytes()).await;
        soon(async {
            while between.gateway.overview().waiting == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        drop(waiting);
        soon(async {
            while between.gateway.overview().waiting > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    // Nor does one that sends as much ahead as nobody keeps for it.
    let mut waiting = ask(between.address, "").await;
    let sent = waiting.stream.write_all(&[b'x'; 1 << 20]);
    drop(soon(sent).await);
    waiting.rest().await;
    soon(async {
        while between.gateway.overview().waiting > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
