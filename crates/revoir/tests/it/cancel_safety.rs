//! Futures that are dropped at any point lose and corrupt nothing.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::StreamExt;
use proptest::prelude::*;
use proptest::test_runner::Config;
use revoir::drain::Drain;
use revoir::http::{self, StatusCode};
use revoir::{Acceptor, Cause, Client, Incoming, Message, Reason, SendCode, WebSocket};
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

use crate::support::memory::End;
use crate::support::peer::Seen;
use crate::support::{Frame, Side, Wire, memory, open};

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_cancelled_every_7_ms_loses_nothing_of_3_bytes_every_10_ms() {
    for side in Side::BOTH {
        let (mut socket, mut peer) = open(side, Wire::Memory).await;
        let frames = (0..40).map(|number| Frame::text(&format!("message number {number}")));
        let mut bytes: Vec<u8> = frames.flat_map(|frame| peer.bytes(&frame)).collect();
        bytes.extend(peer.bytes(&Frame::close(1000, "")));
        tokio::spawn(async move {
            for three in bytes.chunks(3) {
                peer.write(three).await;
                sleep(Duration::from_millis(10)).await;
            }
            peer.rest().await
        });
        let mut received = Vec::new();
        let mut cancelled = 0;
        let ending = loop {
            match timeout(Duration::from_millis(7), socket.recv()).await {
                Ok(Ok(message)) => received.push(message),
                Ok(Err(ending)) => break ending,
                Err(_) => cancelled += 1,
            }
        };
        let text = |number| Message::Text(format!("message number {number}").into());
        assert_eq!(received, (0..40).map(text).collect::<Vec<_>>());
        assert!(cancelled > 300, "{cancelled}");
        assert_eq!(ending.cause, Cause::ClosedByPeer);
    }
}

/// Polls `future` at most `polls` times, with turns for other tasks between, and drops it.
pub(crate) async fn at_most<F: Future>(polls: u8, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

fn number(message: &Message) -> u32 {
    u32::from_be_bytes(message.as_bytes()[..4].try_into().unwrap())
}

/// What one side does with a schedule of how long it is patient.
async fn exchange(
    mut socket: WebSocket,
    schedule: Vec<(u8, u8)>,
    count: u32,
) -> (WebSocket, Vec<u32>) {
    let mut received = Vec::new();
    let mut sent = 0;
    let mut steps = schedule.iter().cycle();
    while sent < count || received.len() < count as usize {
        let (what, polls) = *steps.next().unwrap();
        match what % 7 {
            0 | 1 if sent < count => {
                let payload = [&sent.to_be_bytes()[..], &vec![what; usize::from(what)]].concat();
                let message = Message::Binary(payload.into());
                let queued = match what % 2 {
                    0 => at_most(polls, socket.send(message)).await,
                    _ => at_most(polls, socket.feed(message)).await,
                };
                // Cancelled means not queued: it is sent again.
                if let Some(result) = queued {
                    result.unwrap();
                    sent += 1;
                }
            }
            2 => drop(at_most(polls, socket.flush()).await),
            3 => drop(at_most(polls, socket.closed()).await),
            4 => drop(at_most(polls, socket.draining()).await),
            // As a stream, for a change.
            5 => {
                if let Some(message) = at_most(polls, socket.next()).await {
                    received.push(number(&message.unwrap().unwrap()));
                }
            }
            _ => {
                if let Some(message) = at_most(polls, socket.recv()).await {
                    received.push(number(&message.unwrap()));
                }
            }
        }
        tokio::task::yield_now().await;
    }
    (socket, received)
}

fn paused() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap()
}

/// What a server does with a request.
#[derive(Clone, Copy, Debug)]
enum Decision {
    Accept,
    Run,
    Refuse,
    Drop,
}

async fn decide(acceptor: &Acceptor, far: End, decision: Decision) -> Option<WebSocket> {
    if let Decision::Accept = decision {
        return acceptor.accept(far).await.ok();
    }
    let decide = |incoming: Incoming| async move {
        match decision {
            Decision::Run => {
                incoming.run(|mut socket: WebSocket| async move { socket.recv().await.map(drop) })
            }
            Decision::Refuse => incoming.refuse(StatusCode::NOT_FOUND, ""),
            Decision::Drop | Decision::Accept => http::Response::new(String::new()),
        }
    };
    drop(acceptor.accept_incoming(far, decide).await);
    None
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(60) })]

    #[test]
    fn messages_arrive_once_and_in_order_whatever_is_cancelled(
        capacity in 1_usize..400,
        queue in 1_usize..2000,
        one in prop::collection::vec((any::<u8>(), 0_u8..4), 1..40),
        two in prop::collection::vec((any::<u8>(), 0_u8..4), 1..40),
        (end, polls) in (0_u8..3, 0_u8..4),
    ) {
        // Somebody has to be patient at some time.
        let patient = |mut schedule: Vec<(u8, u8)>| {
            schedule.extend([(0, 4), (1, 4), (5, 4), (6, 4)]);
            schedule
        };
        let (one, two) = (patient(one), patient(two));
        paused().block_on(async {
            let (near, far) = memory::pair(capacity);
            let (mut ours, mut theirs) = (Side::Client.config(), Side::Server.config());
            ours.limits.queue = queue;
            theirs.limits.queue = queue;
            let acceptor = Acceptor::new().with_config(theirs);
            let client = Client::new().with_config(ours);
            let connecting = client.connect_over("ws://localhost/", near);
            let (client, server) = tokio::join!(connecting, acceptor.accept(far));
            let ((client, at_client), (server, at_server)) = tokio::join!(
                exchange(client.unwrap(), one, 50),
                exchange(server.unwrap(), two, 50),
            );
            let expected: Vec<u32> = (0..50).collect();
            assert_eq!(at_client, expected);
            assert_eq!(at_server, expected);
            // A close whose future is dropped goes on, and so does a drain.
            match end {
                0 => drop(at_most(polls, client.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY)).await),
                1 => drop(at_most(polls, server.close(SendCode::GOING_AWAY, Reason::EMPTY)).await),
                _ => drop(at_most(polls, acceptor.tracker().drain(Drain::restart())).await),
            }
            assert!(server.closed().await.is_clean());
            assert!(client.closed().await.is_clean());
        });
    }

    #[test]
    fn an_opening_that_is_given_up_leaves_nothing_behind(
        capacity in 1_usize..600,
        (client_polls, server_polls) in (0_u8..40, 0_u8..40),
        decision in prop::sample::select(vec![
            Decision::Accept, Decision::Run, Decision::Refuse, Decision::Drop,
        ]),
    ) {
        paused().block_on(async {
            let (near, far) = memory::pair(capacity);
            let (at_client, at_server) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
            let client = Client::new().with_observer(Arc::clone(&at_client) as _);
            let acceptor = Acceptor::new()
                .with_max_connections(1)
                .with_observer(Arc::clone(&at_server) as _);
            let (connected, accepted) = tokio::join!(
                at_most(client_polls, client.connect_over("ws://localhost/", near)),
                at_most(server_polls, decide(&acceptor, far, decision)),
            );
            let connected = connected.and_then(Result::ok);
            let accepted = accepted.flatten();
            // What opened was returned, or is with the handler.
            assert_eq!(at_client.opened(), usize::from(connected.is_some()));
            if !matches!(decision, Decision::Run) {
                assert_eq!(at_server.opened(), usize::from(accepted.is_some()));
            }
            // Whoever is left learns of it, and every connection ends.
            let left = [connected, accepted];
            if let Some(socket) = left.iter().flatten().next() {
                socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await;
            }
            for socket in left.iter().flatten() {
                socket.closed().await;
            }
            // The only place is free again, at the latest once a refusal was not read.
            sleep(Duration::from_secs(10)).await;
            let (opened, ended) = (at_server.opened(), at_server.count());
            assert!(opened <= ended && ended <= 1, "{opened}, {ended}, {decision:?}");
            let (near, far) = memory::pair(64);
            let (connected, accepted) = tokio::join!(
                client.connect_over("ws://localhost/", near),
                acceptor.accept(far),
            );
            drop((connected.unwrap(), accepted.unwrap()));
        });
    }
}
