//! What coming back costs: round trips, and a replay.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use revoir::reconnect::Rule;
use revoir::session::{self, Event, Session};
use revoir::{Link, Policy};
use tokio::sync::mpsc;

use crate::{proxy, server};

const MESSAGES: u32 = 10_000;
const BYTES: usize = 256;

/// One way.
const DELAY: Duration = Duration::from_millis(50);

pub(crate) async fn run() -> anyhow::Result<()> {
    let (sender, mut begun) = mpsc::unbounded_channel();
    let sessions = server::sessions().with_window(server::WINDOW);
    let address = server::start(sessions, move |session: Session| {
        let sender = sender.clone();
        async move {
            // The test has it from here.
            let _ = sender.send(session);
            std::future::pending().await
        }
    });
    let address = address.await?;
    let mut replays = Vec::new();
    for _ in 0..5 {
        replays.push(once(address, &mut begun).await?);
    }
    replays.sort_by_key(|replay| replay.all);
    let distant = proxy::distant(address, DELAY).await?;
    let far = once(distant, &mut begun).await?;
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    println!("## Coming back\n");
    println!("| | |\n|---|---|");
    println!(
        "| {MESSAGES} messages of {BYTES} bytes that waited, from the connection attempt to the last, median of 5 (worst) | {} ({}) |",
        ms(replays[2].all),
        ms(replays[4].all)
    );
    println!("| the first of them | {} |", ms(replays[2].first));
    println!(
        "| the first of them, where each way takes {} ms: two round trips are {} ms, one for the opening handshake, one for HELLO and WELCOME with the replay | {} |\n",
        DELAY.as_millis(),
        4 * DELAY.as_millis(),
        ms(far.first)
    );
    if replays[2].all > Duration::from_millis(100) {
        bail!("a replay took {}", ms(replays[2].all));
    }
    if far.first > 5 * DELAY {
        bail!("the first message came {} after the attempt", ms(far.first));
    }
    Ok(())
}

/// How long after the attempt to connect.
struct Replay {
    first: Duration,
    all: Duration,
}

async fn once(
    address: SocketAddr,
    begun: &mut mpsc::UnboundedReceiver<Session>,
) -> anyhow::Result<Replay> {
    let (attempts, mut attempted) = mpsc::unbounded_channel();
    let (cut, is_cut) = tokio::sync::watch::channel(0);
    let soon = Duration::from_millis(250)..=Duration::from_millis(250);
    let policy = Policy::new().with_rule(Rule::code(1006).with_delay(soon));
    let link = Link::to(&format!("ws://{address}/"))
        .with_policy(policy)
        .with_connector(move |_| {
            let (attempts, is_cut) = (attempts.clone(), is_cut.clone());
            async move {
                let _ = attempts.send(Instant::now());
                let stream = tokio::net::TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(cuttable(stream, is_cut))
            }
        });
    let mut client = session::Client::new()
        .with_window(server::WINDOW)
        .start(link)?;
    client.send("here").await?;
    let mut at_server = begun.recv().await.context("no session began")?;
    at_server.recv().await?;
    attempted.recv().await;
    cut.send_replace(1);
    while !matches!(client.event().await, Some(Event::Detached { .. })) {}
    for _ in 0..MESSAGES {
        at_server.send(vec![7; BYTES]).await?;
    }
    let begin = attempted.recv().await.context("no attempt")?;
    client.recv().await?;
    let first = begin.elapsed();
    for _ in 1..MESSAGES {
        client.recv().await?;
    }
    let all = begin.elapsed();
    Ok(Replay { first, all })
}

/// A stream that ends when it is told so.
fn cuttable(
    stream: tokio::net::TcpStream,
    mut is_cut: tokio::sync::watch::Receiver<i32>,
) -> tokio::io::DuplexStream {
    let (near, mut far) = tokio::io::duplex(1024 * 1024);
    let already = *is_cut.borrow();
    tokio::spawn(async move {
        let mut stream = stream;
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut far, &mut stream) => {}
            _ = is_cut.wait_for(|now| *now > already) => {}
        }
    });
    near
}
