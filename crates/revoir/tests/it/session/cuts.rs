//! The connection is cut, in every way and at every kind of place, and nobody's messages notice.

use revoir::session::{self, Event, Overflow, Session, SessionEnding, Verdict, Window};
use revoir::{Client, CloseCode, Reason, SendCode};
use std::sync::Arc;
use std::time::Duration;

use super::line::{Fault, Kind};
use super::{HOUR, converse, network, server, text, within};
use crate::support::random::SplitMix;

const MESSAGES: u32 = 600;

/// Many connections that each fail after some bytes: often inside a frame, in the handshake, in HELLO.
fn faults(seed: u64, kinds: &[Kind]) -> Vec<Fault> {
    let mut random = SplitMix::new(seed);
    let fault = |_| Fault {
        kind: kinds[random.next_u32() as usize % kinds.len()],
        after: match random.next_u32() % 4 {
            0 => random.next_u32() as usize % 600 + 1,
            _ => random.next_u32() as usize % 12_000 + 400,
        },
    };
    let mut faults: Vec<Fault> = (0..24).map(fault).collect();
    // The first one lives until WELCOME: a session of which its client has never heard is nobody's.
    let first = &mut faults[23].after;
    *first = 2000.max(*first);
    faults
}

async fn survives(seed: u64, kinds: &[Kind], window: u64) {
    let window = Window {
        messages: window,
        bytes: 16 * 1024,
    };
    let (network, mut begun) = network(server().with_ttl(HOUR).with_window(window));
    *network.faults.lock().unwrap() = faults(seed, kinds);
    let client = session::Client::new().with_ttl(HOUR).with_window(window);
    let client = client.start(network.link()).unwrap();
    let ours = converse(client, MESSAGES);
    let theirs = async {
        let session = begun.recv().await.unwrap();
        converse(session, MESSAGES).await
    };
    let (ours, _theirs) = within(24 * HOUR, async { tokio::join!(ours, theirs) }).await;
    let closed = within(HOUR, ours.1.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY)).await;
    assert!(closed.bye().is_some(), "seed {seed}: {closed}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_doubled_reordered_or_in_doubt() {
    for seed in 0..16 {
        survives(seed, &Kind::ALL, 64).await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_cut_alone() {
    for kind in Kind::ALL {
        for seed in 100..102 {
            survives(seed, &[kind], 1024).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_of_one_message_is_enough() {
    survives(7, &Kind::ALL, 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_does_not_notice() {
    let (network, mut begun) = network(server());
    let mut client = session::Client::new().start(network.link()).unwrap();
    client.send("1").await.unwrap();
    let mut at_server = begun.recv().await.unwrap();
    let echo = tokio::spawn(async move {
        let result: Result<(), Arc<SessionEnding>> = async {
            loop {
                let message = at_server.recv().await?;
                at_server.send(message).await?;
            }
        }
        .await;
        result.unwrap_err()
    });
    assert_eq!(client.recv().await.unwrap(), text("1"));
    for kind in Kind::ALL {
        network.cut(Fault::now(kind));
        let said = format!("after {kind:?}");
        client.send(said.clone()).await.unwrap();
        assert_eq!(client.recv().await.unwrap(), text(&said));
    }
    let code = SendCode::try_from(4001).unwrap();
    let closed = client.close(code, Reason::new("enough").unwrap()).await;
    assert_eq!(closed.bye().unwrap().code, code);
    let told = echo.await.unwrap();
    assert_eq!(told.bye().unwrap().reason, "enough");
    assert!(begun.try_recv().is_err(), "the handler ran once");
}

#[tokio::test(start_paused = true)]
async fn both_are_told_of_connections_that_come_and_go() {
    let (network, mut begun) = network(server());
    let mut client = session::Client::new().start(network.link()).unwrap();
    let mut verdicts = Vec::new();
    let mut detached = 0;
    let mut at_server = None;
    for turn in 0..3 {
        while !client.is_attached() || verdicts.len() <= turn {
            match client.event().await.unwrap() {
                Event::Attached(attached) => {
                    assert_eq!(attached.generation, verdicts.len() as u64 + 1);
                    verdicts.push(attached.verdict);
                }
                Event::Detached {
                    ending, decision, ..
                } => {
                    assert_eq!(ending.code(), CloseCode::ABNORMAL_CLOSURE);
                    assert!(decision.unwrap().delay.is_some());
                    detached += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        if at_server.is_none() {
            at_server = begun.recv().await;
        }
        network.cut(Fault::now(Kind::Fin));
    }
    assert_eq!(
        verdicts[..3],
        [Verdict::New, Verdict::Resumed, Verdict::Resumed]
    );
    assert_eq!(detached, 2);
    let at_server: &mut Session = at_server.as_mut().unwrap();
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(match at_server.event().await.unwrap() {
            Event::Attached(_) => "attached",
            Event::Detached { .. } => "detached",
            other => panic!("{other:?}"),
        });
    }
    let expected = ["attached", "detached", "attached", "detached", "attached"];
    assert_eq!(seen, expected);
}

#[tokio::test(start_paused = true)]
async fn sending_waits_at_a_full_window_until_the_client_is_back() {
    let window = Window {
        messages: 3,
        bytes: 1000,
    };
    let (network, mut begun) = network(server().with_window(window));
    let mut client = session::Client::new().start(network.link()).unwrap();
    let mut at_server = begun.recv().await.unwrap();
    network.cut(Fault::now(Kind::Reset));
    let sending = tokio::spawn(async move {
        for number in 0..8 {
            at_server.send(format!("{number}")).await.unwrap();
            assert!(at_server.kept().0 <= 3);
        }
        at_server
    });
    for number in 0..8 {
        assert_eq!(client.recv().await.unwrap(), text(&number.to_string()));
    }
    let mut at_server = sending.await.unwrap();
    at_server.flush().await.unwrap();
    assert_eq!(at_server.kept(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn the_oldest_go_if_the_server_was_told_so_and_the_client_is_told_how_many() {
    let window = Window {
        messages: 3,
        bytes: 1000,
    };
    let server = server()
        .with_window(window)
        .with_overflow(Overflow::DropOldest);
    let (network, mut begun) = network(server);
    let mut client = session::Client::new().start(network.link()).unwrap();
    let mut at_server = begun.recv().await.unwrap();
    network.cut(Fault::now(Kind::Fin));
    while !matches!(at_server.event().await, Some(Event::Detached { .. })) {}
    for number in 0..10 {
        at_server.send(format!("{number}")).await.unwrap();
    }
    let Event::Gap {
        key, count, reason, ..
    } = super::told(&mut client).await
    else {
        panic!("a gap comes first");
    };
    assert_eq!((key.number, reason.id()), (1, "dropped"));
    for number in count..10 {
        assert_eq!(client.recv().await.unwrap(), text(&number.to_string()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_takes_nothing_holds_the_other_back_and_no_more_is_read() {
    let (network, mut begun) = network(server());
    let mut client = session::Client::new().start(network.link()).unwrap();
    let at_server = begun.recv().await.unwrap();
    let mut sent = 0;
    while within_or(Duration::from_secs(5), client.send("x")).await {
        sent += 1;
    }
    assert_eq!(sent, 1024, "as many as the client keeps");
    let mut at_server = at_server;
    for _ in 0..sent {
        at_server.recv().await.unwrap();
    }
    assert!(within_or(HOUR, client.send("y")).await);
}

/// Whether it is done in time.
async fn within_or<T, E: std::fmt::Debug>(
    limit: Duration,
    future: impl Future<Output = Result<T, E>>,
) -> bool {
    tokio::time::timeout(limit, future)
        .await
        .map(Result::unwrap)
        .is_ok()
}

#[tokio::test(start_paused = true)]
async fn what_the_link_asks_for_is_asked_at_every_connection() {
    let (network, mut begun) = network(server());
    let link = network.link().with_request(|attempt| async move {
        let client = Client::new().with_header("X-Attempt", attempt.number.to_string());
        Some(revoir::reconnect::LinkRequest::new(attempt.url).with_client(client))
    });
    let mut client = session::Client::new().start(link).unwrap();
    let _at_server = begun.recv().await.unwrap();
    network.cut(Fault::now(Kind::Fin));
    while !matches!(client.event().await, Some(Event::Attached(it)) if it.generation == 2) {}
}

#[tokio::test(start_paused = true)]
async fn an_application_that_takes_nothing_for_long_is_no_silent_peer() {
    let window = Window {
        messages: 5000,
        bytes: 1 << 20,
    };
    let (network, mut begun) = network(server().with_window(window));
    let client = session::Client::new().with_window(window);
    let mut client = client.start(network.link()).unwrap();
    let mut at_server = begun.recv().await.unwrap();
    for number in 0..5000 {
        client.send(format!("{number}")).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(600)).await;
    for number in 0..5000 {
        assert_eq!(at_server.recv().await.unwrap(), text(&number.to_string()));
    }
    client.flush().await.unwrap();
    assert!(matches!(client.event().await, Some(Event::Attached(_))));
    let next = within_or(Duration::from_secs(1), async {
        client.event().await.ok_or(())
    });
    assert!(!next.await, "one connection was enough");
}
