//! Futures that are dropped at any point lose and corrupt nothing.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::Config;
use revoir::{Cause, Client, Message, Reason, SendCode, WebSocket};
use tokio::time::{sleep, timeout};

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
async fn at_most<F: Future>(polls: u8, future: F) -> Option<F::Output> {
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
        match what % 5 {
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
            _ => {
                if let Some(message) = at_most(polls, socket.recv()).await {
                    let number = message.unwrap().as_bytes()[..4].try_into().unwrap();
                    received.push(u32::from_be_bytes(number));
                }
            }
        }
        tokio::task::yield_now().await;
    }
    (socket, received)
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(60) })]

    #[test]
    fn messages_arrive_once_and_in_order_whatever_is_cancelled(
        capacity in 1_usize..400,
        queue in 1_usize..2000,
        one in prop::collection::vec((any::<u8>(), 0_u8..4), 1..40),
        two in prop::collection::vec((any::<u8>(), 0_u8..4), 1..40),
    ) {
        // Somebody has to be patient at some time.
        let patient = |mut schedule: Vec<(u8, u8)>| {
            schedule.extend([(0, 4), (1, 4), (4, 4)]);
            schedule
        };
        let (one, two) = (patient(one), patient(two));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let (near, far) = memory::pair(capacity);
            let (mut ours, mut theirs) = (Side::Client.config(), Side::Server.config());
            ours.limits.queue = queue;
            theirs.limits.queue = queue;
            let acceptor = revoir::Acceptor::new().with_config(theirs);
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
            // A close whose future is dropped goes on.
            drop(client.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY));
            assert!(server.closed().await.is_clean());
            assert!(client.closed().await.is_clean());
        });
    }
}
