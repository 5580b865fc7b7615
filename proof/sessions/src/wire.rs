//! What a session adds to the bytes on the wire, counted between the two ends.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, bail};
use revoir::session::{self, Session};
use revoir::{Link, Message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{interval, sleep};

use crate::proxy::between;
use crate::server;

/// Ten seconds of them.
const MESSAGES: u64 = 1000;
const PAYLOAD: usize = 20;
const PACE: Duration = Duration::from_millis(10);

/// The header of a frame with such a payload, and the mask of one from a client.
const HEADER: u64 = 2;
const MASK: u64 = 4;

/// What pings of either end may cost, for each message.
const PINGS: f64 = 0.05;

/// Longer than an acknowledgement waits.
const LAST_ACK: Duration = Duration::from_millis(1500);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

/// For each message: what its frame has more than one without a session, and what the other end says meanwhile.
struct Cost {
    overhead: f64,
    acknowledgements: f64,
}

pub(crate) async fn run() -> anyhow::Result<()> {
    let (sender, mut begun) = mpsc::unbounded_channel();
    let address = server::start(server::sessions(), move |session: Session| {
        let sender = sender.clone();
        async move {
            // The test has it from here.
            let _ = sender.send(session);
            std::future::pending().await
        }
    });
    let address = address.await?;
    println!("## Bytes on the wire\n");
    println!(
        "{MESSAGES} messages of {PAYLOAD} bytes, one in {} ms, counted between the ends, headers and masks of frames included.\n",
        PACE.as_millis()
    );
    println!("| | more for each message | acknowledgements, for each message |\n|---|---|---|");
    for kind in [Kind::Text, Kind::Binary] {
        let name = match kind {
            Kind::Text => "text",
            Kind::Binary => "binary",
        };
        for is_up in [true, false] {
            let cost = measure(address, &mut begun, kind, is_up).await?;
            let who = if is_up { "client" } else { "server" };
            println!(
                "| {name} from the {who} | {:.2} bytes | {:.2} bytes |",
                cost.overhead, cost.acknowledgements
            );
            let expected = f64::from(u8::from(kind == Kind::Binary));
            if cost.overhead - expected > PINGS || cost.acknowledgements > 0.2 {
                bail!("a message costs more than promised");
            }
        }
    }
    println!();
    Ok(())
}

async fn measure(
    address: SocketAddr,
    begun: &mut mpsc::UnboundedReceiver<Session>,
    kind: Kind,
    is_up: bool,
) -> anyhow::Result<Cost> {
    let counts = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let way = counted(address, Arc::clone(&counts)).await?;
    let mut client = session::Client::new().start(Link::to(&format!("ws://{way}/")))?;
    client.send("here").await?;
    let mut at_server = begun.recv().await.context("no session began")?;
    at_server.recv().await?;
    client.flush().await?;
    let before = counts.each_ref().map(|count| count.load(Relaxed));
    let (from, to) = match is_up {
        true => (&mut client, &mut at_server),
        false => (&mut at_server, &mut client),
    };
    let sending = async {
        let mut pace = interval(PACE);
        for _ in 0..MESSAGES {
            pace.tick().await;
            let message = match kind {
                Kind::Text => Message::Text("x".repeat(PAYLOAD).into()),
                Kind::Binary => Message::Binary(vec![0; PAYLOAD].into()),
            };
            from.send(message).await?;
        }
        sleep(LAST_ACK).await;
        anyhow::Ok(())
    };
    let taking = async {
        for _ in 0..MESSAGES {
            to.recv().await?;
        }
        anyhow::Ok(())
    };
    let (sent, taken) = tokio::join!(sending, taking);
    sent?;
    taken?;
    let after = counts.each_ref().map(|count| count.load(Relaxed));
    let [up, down] = [after[0] - before[0], after[1] - before[1]];
    let mask = if is_up { MASK } else { 0 };
    let plain = MESSAGES * (HEADER + mask + PAYLOAD as u64);
    let (messages, acknowledgements) = if is_up { (up, down) } else { (down, up) };
    let each = |bytes: f64| bytes / MESSAGES as f64;
    Ok(Cost {
        overhead: each(messages as f64 - plain as f64),
        acknowledgements: each(acknowledgements as f64),
    })
}

/// Passes everything on to `server`, and counts it: from the client, and to it.
async fn counted(server: SocketAddr, counts: Arc<[AtomicU64; 2]>) -> anyhow::Result<SocketAddr> {
    between(server, move |near, far| {
        let counts = Arc::clone(&counts);
        async move {
            let (near_read, near_write) = near.into_split();
            let (far_read, far_write) = far.into_split();
            let [up, down] = &*counts;
            tokio::join!(
                pass(near_read, far_write, up),
                pass(far_read, near_write, down)
            );
        }
    })
    .await
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, count: &AtomicU64) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        count.fetch_add(length as u64, Relaxed);
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}
