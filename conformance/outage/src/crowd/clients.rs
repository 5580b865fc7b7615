//! The clients: numbered messages out, numbered answers in, and pings all the time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use revoir::websocket::KeepaliveConfig;
use revoir::{Client, Config, Ending, Message, Reason, SendCode, WebSocket};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

/// Clients that begin together. The listening queue of the gateway is short.
const AT_ONCE: usize = 100;
const EVERY: Duration = Duration::from_millis(100);

/// Between two messages of one client.
const PAUSE: Duration = Duration::from_secs(1);

/// Bytes of a message. In five seconds all clients send less than the gateway holds: one that it does
/// not read from gets no pongs either.
pub(crate) const MESSAGE: usize = 1024;

/// A client pings after so much silence, and gives up after so much more.
const PING_AFTER: Duration = Duration::from_secs(1);
pub(crate) const PONG_WITHIN: Duration = Duration::from_secs(3);

/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all clients together have seen.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Seen {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    /// Clients that ended before they wanted to.
    pub(crate) disconnected: u64,
    /// Clients that got an answer twice or in the wrong order, or not from the next backend
    /// though a later one came.
    pub(crate) disordered: u64,
    /// Clients whose last message was not answered.
    pub(crate) unanswered: u64,
    /// Clients that were answered by both backends.
    pub(crate) returned: u64,
    /// Messages that only the lost backend was given.
    pub(crate) lost: u64,
    /// The longest that any pong took.
    pub(crate) slowest_pong_ms: f64,
}

/// Says `up` once all are connected. A line has them fall silent and say what they have seen.
pub(crate) async fn run(gateway: SocketAddr, clients: usize) -> anyhow::Result<()> {
    let url = format!("ws://{gateway}/");
    let mut config = Config::default();
    let mut keepalive = KeepaliveConfig::default();
    keepalive.interval = PING_AFTER;
    keepalive.timeout = PONG_WITHIN;
    config.keepalive = Some(keepalive);
    let client = Client::new().with_config(config);
    let (quiet, until_quiet) = watch::channel(false);
    let mut tasks = Vec::with_capacity(clients);
    let mut number = 0;
    while number < clients {
        let next = (number + AT_ONCE).min(clients);
        let connecting: Vec<_> = (number..next)
            .map(|_| {
                let (client, url) = (client.clone(), url.clone());
                tokio::spawn(async move { client.connect(&url).await })
            })
            .collect();
        for connecting in connecting {
            let socket = connecting.await?.context("connect")?;
            let offset = PAUSE.mul_f64(number as f64 / clients as f64);
            tasks.push(tokio::spawn(talk(socket, offset, until_quiet.clone())));
            number += 1;
        }
        sleep(EVERY).await;
    }
    println!("up");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    lines.next_line().await?;
    quiet.send_replace(true);
    let mut all = Seen::default();
    for task in tasks {
        all.add(&task.await?);
    }
    println!("{}", serde_json::to_string(&all)?);
    Ok(())
}

/// What one client has seen.
#[derive(Debug, Default)]
struct Own {
    sent: u64,
    answers: Vec<(u32, u64)>,
    is_disconnected: bool,
    slowest_pong: Duration,
}

/// Talks until it is to be quiet, and then waits for the last answer.
async fn talk(mut socket: WebSocket, offset: Duration, mut quiet: watch::Receiver<bool>) -> Own {
    let mut own = Own::default();
    let mut ticks = interval_at(Instant::now() + offset, PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let padding = "x".repeat(MESSAGE);
    while !*quiet.borrow_and_update() {
        let went = tokio::select! {
            message = socket.recv() => message.map(|message| own.take(&message)),
            _ = ticks.tick() => {
                own.slowest_pong = own.slowest_pong.max(socket.rtt().unwrap_or_default());
                own.sent += 1;
                let text = format!("{} {padding}", own.sent);
                socket.send_text(&text[..MESSAGE]).await
            }
            _ = quiet.changed() => Ok(()),
        };
        if went.is_err() {
            own.is_disconnected = true;
            return own;
        }
    }
    let last_answer = async {
        while own
            .answers
            .last()
            .is_none_or(|(_, number)| *number < own.sent)
        {
            let message = socket.recv().await?;
            own.take(&message);
        }
        Ok::<_, Arc<Ending>>(())
    };
    own.is_disconnected = matches!(timeout(PATIENCE, last_answer).await, Ok(Err(_)));
    drop(socket.close(SendCode::NORMAL_CLOSURE, Reason::EMPTY).await);
    own
}

impl Own {
    fn take(&mut self, message: &Message) {
        let text = String::from_utf8_lossy(message.as_bytes());
        let answer = text.split_once(' ');
        let answer =
            answer.and_then(|(run, number)| Some((run.parse().ok()?, number.parse().ok()?)));
        // What makes no sense is in no order.
        self.answers.push(answer.unwrap_or((0, 0)));
    }
}

impl Seen {
    fn add(&mut self, own: &Own) {
        let of = |run: u32| -> Vec<u64> {
            let answers = own.answers.iter().filter(|(from, _)| *from == run);
            answers.map(|(_, number)| *number).collect()
        };
        let (before, after) = (of(1), of(2));
        let answered = own.answers.len() as u64;
        let first = after.first().copied().unwrap_or(own.sent + 1);
        let is_ordered = own.answers.is_sorted_by(|one, other| one.0 <= other.0)
            && before.iter().copied().eq(1..=before.len() as u64)
            && (before.len() as u64) < first
            && after.iter().copied().eq(first..first + after.len() as u64)
            && before.len() + after.len() == own.answers.len();
        let last = own.answers.last().map_or(0, |(_, number)| *number);
        self.sent += own.sent;
        self.answered += answered;
        self.disconnected += u64::from(own.is_disconnected);
        self.disordered += u64::from(!is_ordered);
        self.unanswered += u64::from(last != own.sent);
        self.returned += u64::from(!before.is_empty() && !after.is_empty());
        self.lost += (first - 1).saturating_sub(before.len() as u64);
        let slowest = own.slowest_pong.as_secs_f64() * 1e3;
        self.slowest_pong_ms = self.slowest_pong_ms.max(slowest);
    }
}
