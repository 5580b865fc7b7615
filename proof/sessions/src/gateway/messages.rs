//! What a message costs the gateway, with a session and without.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use revoir::session;
use revoir::{Client, Link, Message, WebSocket};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use super::backend::{config, started_backend};
use crate::process::Gateway;

const CLIENTS: usize = 100;
/// Of each client: 1,000 in a second in all.
const PACE: Duration = Duration::from_millis(100);
const SIZES: [usize; 3] = [20, 1024, 16 * 1024];

/// One after the other, so that what else the machine does falls on both alike.
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(5);

/// Longer than an acknowledgement waits.
const LAST_ACK: Duration = Duration::from_millis(1500);

/// So many times what it costs without a session.
const LIMIT: f64 = 1.5;

/// A client of either kind.
enum Peer {
    Plain(WebSocket),
    Session(session::Session),
}

impl Peer {
    async fn echo(&mut self, message: Message) -> anyhow::Result<()> {
        let length = message.as_bytes().len();
        let answer = match self {
            Self::Plain(socket) => {
                socket.send(message).await?;
                socket.recv().await?
            }
            Self::Session(session) => {
                session.send(message).await?;
                session.recv().await?
            }
        };
        if answer.as_bytes().len() != length {
            bail!("this is not what was sent");
        }
        Ok(())
    }
}

/// A gateway of its own for each kind, with its clients.
struct Side {
    gateway: Gateway,
    peers: Vec<Peer>,
}

pub(crate) async fn run(revoir: &Path) -> anyhow::Result<()> {
    let (_backend, backend) = started_backend().await?;
    let mut sides = Vec::new();
    for has_sessions in [false, true] {
        let gateway = Gateway::start(revoir, &config(backend, has_sessions)).await?;
        let url = format!("ws://{}/", gateway.address);
        let mut peers = Vec::new();
        for _ in 0..CLIENTS {
            peers.push(match has_sessions {
                false => Peer::Plain(Client::new().connect(&*url).await?),
                true => Peer::Session(session::Client::new().start(Link::to(&url))?),
            });
        }
        sides.push(Side { gateway, peers });
    }
    println!("## Messages through the gateway\n");
    println!(
        "{CLIENTS} clients, {} messages a second in all, each of them echoed by the backend; {ROUNDS} rounds of {} s for each, one \
         after the other; processor time of the gateway for each message that it passed on, median (least to most). Sessions in memory.\n",
        CLIENTS as u128 * 1000 / PACE.as_millis(),
        ROUND.as_secs(),
    );
    println!("| text of | `hold` | with a session | times |\n|---|---:|---:|---:|");
    let mut is_too_much = false;
    for size in SIZES {
        let mut costs = [Vec::new(), Vec::new()];
        // What is there once is there.
        for side in &mut sides {
            side.play(size, Duration::from_secs(1)).await?;
        }
        for _ in 0..ROUNDS {
            for (side, costs) in sides.iter_mut().zip(&mut costs) {
                costs.push(side.play(size, ROUND).await?);
            }
        }
        let [plain, session] = costs.map(Costs::of);
        let times = session.median / plain.median;
        println!("| {size} bytes | {plain} | {session} | {times:.2} |");
        is_too_much |= times > LIMIT;
    }
    println!();
    if is_too_much {
        bail!("a message of a session costs more than {LIMIT} times what one without does");
    }
    Ok(())
}

impl Side {
    /// Processor time of the gateway for each message, in microseconds.
    async fn play(&mut self, size: usize, time: Duration) -> anyhow::Result<f64> {
        let message = Message::Text("x".repeat(size).into());
        let begin = Instant::now();
        let before = self.gateway.cpu()?;
        let playing = self.peers.drain(..).enumerate().map(|(number, mut peer)| {
            let message = message.clone();
            tokio::spawn(async move {
                let part = PACE.mul_f64(number as f64 / CLIENTS as f64);
                let mut pace = interval_at(begin + part, PACE);
                pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
                let mut count = 0_u64;
                while begin.elapsed() < time {
                    pace.tick().await;
                    peer.echo(message.clone()).await?;
                    count += 1;
                }
                anyhow::Ok((peer, count))
            })
        });
        let playing: Vec<_> = playing.collect();
        let mut count = 0;
        for peer in playing {
            let (peer, echoed) = peer.await??;
            count += echoed;
            self.peers.push(peer);
        }
        // Acknowledgements of this round are not of the next one.
        sleep(LAST_ACK).await;
        let cpu = self.gateway.cpu()?.checked_sub(before);
        let cpu = cpu.context("a thread of the gateway ended")?;
        // There and back.
        Ok(cpu.as_secs_f64() * 1e6 / (2 * count) as f64)
    }
}

struct Costs {
    median: f64,
    least: f64,
    most: f64,
}

impl Costs {
    fn of(mut costs: Vec<f64>) -> Self {
        costs.sort_by(f64::total_cmp);
        Self {
            median: costs[costs.len() / 2],
            least: costs[0],
            most: costs[costs.len() - 1],
        }
    }
}

impl std::fmt::Display for Costs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            median,
            least,
            most,
        } = self;
        write!(f, "{median:.1} µs ({least:.1} to {most:.1})")
    }
}
