//! The same cuts for sessions and for socket.io with its connection state recovery.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::Context;
use revoir::session::{self, Event, Reader, Session, Writer};
use revoir::{Client, Config, Link};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::coming_back;
use crate::process::Process;
use crate::proxy::{self, Counts};
use crate::server::{self, locked};

const CLIENTS: u64 = 20;
const PACE: Duration = Duration::from_millis(20);
const MESSAGES: u64 = 3000;

/// Until whatever comes has come.
const SETTLE: Duration = Duration::from_secs(15);

/// Without a message for so long, a client was cut off.
const CUT_OFF: Duration = Duration::from_millis(300);

const SEED: u64 = 18;

/// What became of the messages of one way.
#[derive(Clone, Debug, Default)]
struct Way {
    received: u64,
    doubled: u64,
    out_of_order: u64,
    /// Told as missing.
    told: u64,
    /// Of the other way: returned to who sent it.
    returned: u64,
}

/// What all clients saw.
#[derive(Clone, Debug, Default)]
struct Seen {
    up: Way,
    down: Way,
    /// For how long clients were without a message, each time.
    pauses: Vec<Duration>,
}

pub(crate) async fn run(script: &Path) -> anyhow::Result<()> {
    println!("## Beside socket.io\n");
    println!(
        "{CLIENTS} clients, a message each way every {} ms for {} s, over connections that are cut as above, the same draws for all; both \
         come back 50 to 250 ms after they notice, and notice silence with pings of 1 s and a patience of 1 s. socket.io of npm with \
         `connectionStateRecovery` and its adapter in memory, WebSocket only; once as it is, once with `retries: 10, ackTimeout: 2000` for what \
         clients emit. Lost is what was not there {} s after the last one was sent, with a session or without: some of it may still have been on its way.\n",
        PACE.as_millis(),
        (PACE * u32::try_from(MESSAGES)?).as_secs(),
        SETTLE.as_secs(),
    );
    println!(
        "| | lost down | lost up | of which told | doubled down, up | out of order | cut off, median (slowest of 20) |\n|---|---:|---:|---:|---:|---:|---:|"
    );
    let ours = sessions().await?;
    ours.report("`revoir.v1`");
    for (name, retries) in [("socket.io", "0"), ("socket.io with retries", "10")] {
        socket_io(script, retries).await?.report(name);
    }
    println!();
    ours.holds()
}

impl Seen {
    fn report(&self, name: &str) {
        let expected = CLIENTS * MESSAGES;
        let mut pauses = self.pauses.clone();
        pauses.sort();
        let at = |share: usize| pauses.get(pauses.len() * share / 100);
        let millis = |pause: Option<&Duration>| pause.map_or(0, Duration::as_millis);
        println!(
            "| {name} | {} of {expected} | {} of {expected} | {} | {}, {} | {} | {} ms ({} ms), {} times |",
            expected - self.down.received,
            expected - self.up.received,
            self.down.told + self.up.told + self.down.returned + self.up.returned,
            self.down.doubled,
            self.up.doubled,
            self.down.out_of_order + self.up.out_of_order,
            millis(at(50)),
            millis(at(95)),
            pauses.len(),
        );
    }

    fn holds(&self) -> anyhow::Result<()> {
        for way in [&self.up, &self.down] {
            let is_whole = way.received == CLIENTS * MESSAGES;
            let is_once = way.doubled + way.out_of_order + way.told + way.returned == 0;
            anyhow::ensure!(is_whole && is_once, "the messages do not add up: {way:?}");
        }
        Ok(())
    }
}

impl Way {
    /// One that comes where `next` is expected.
    fn take(&mut self, number: u64, next: &mut u64, seen: &mut [bool]) {
        let Some(was) = seen.get_mut(usize::try_from(number).unwrap_or(usize::MAX)) else {
            return;
        };
        if std::mem::replace(was, true) {
            self.doubled += 1;
            return;
        }
        self.received += 1;
        if number < *next {
            self.out_of_order += 1;
        }
        *next = number.max(*next) + 1;
    }

    fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.doubled += other.doubled;
        self.out_of_order += other.out_of_order;
        self.told += other.told;
        self.returned += other.returned;
    }
}

/// The proxy between them, whose draws begin anew.
async fn cutting(address: SocketAddr) -> anyhow::Result<SocketAddr> {
    proxy::cutting(address, Arc::new(Counts::default()), SEED).await
}

async fn sessions() -> anyhow::Result<Seen> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let up = Arc::clone(&seen);
    // Ends of the server that have not said yet what they have seen.
    let talking = watch::Sender::new(0_usize);
    let mut silent = talking.subscribe();
    let sessions = server::sessions().with_ttl(Duration::from_secs(600));
    let address = server::start(sessions, move |session| {
        let (up, talking) = (Arc::clone(&up), talking.clone());
        async move {
            talking.send_modify(|count| *count += 1);
            let (way, _) = converse(session).await;
            locked(&up).up.add(&way);
            talking.send_modify(|count| *count -= 1);
            Ok(())
        }
    });
    let proxy = cutting(address.await?).await?;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let client = Client::new().with_config(server::quick(Config::client()));
            let soon = Duration::from_millis(50)..=Duration::from_millis(250);
            let policy = coming_back::within(&soon);
            let link = Link::to(&format!("ws://{proxy}/"));
            let link = link.with_client(client).with_policy(policy);
            let session = session::Client::new().start(link);
            tokio::spawn(async move { anyhow::Ok(converse(session?).await) })
        })
        .collect();
    for client in clients {
        let (way, pauses) = client.await??;
        let mut seen = locked(&seen);
        seen.down.add(&way);
        seen.pauses.extend(pauses);
    }
    // Each of them ends by itself, at its own time.
    silent.wait_for(|count| *count == 0).await?;
    let seen = locked(&seen);
    Ok(seen.clone())
}

/// What one end has heard, and its pauses.
type Heard = (Way, Vec<Duration>);

/// One end, until nothing comes any more.
async fn converse(session: Session) -> Heard {
    let (mut reader, mut writer) = session.split();
    let mut heard = Heard::default();
    let talk = PACE * u32::try_from(MESSAGES).unwrap_or(u32::MAX);
    let talking = async { tokio::join!(speak(&mut writer), listen(&mut reader, &mut heard)) };
    // What was heard until then is what there is.
    let _ = timeout(talk + SETTLE, talking).await;
    heard
}

async fn speak(writer: &mut Writer) {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0..MESSAGES {
        pace.tick().await;
        if writer.send(number.to_be_bytes().to_vec()).await.is_err() {
            return;
        }
    }
    let _ = writer.flush().await;
}

async fn listen(reader: &mut Reader, (way, pauses): &mut Heard) {
    let mut next = 0;
    let mut seen = vec![false; usize::try_from(MESSAGES).unwrap_or(0)];
    let mut last = None::<Instant>;
    while way.received + way.told < MESSAGES {
        match reader.event().await {
            Some(Event::Message { message, .. }) => {
                let now = Instant::now();
                let pause = last.map(|last| now - last);
                pauses.extend(pause.filter(|pause| *pause >= CUT_OFF));
                last = Some(now);
                let bytes = message.as_bytes().try_into();
                way.take(
                    bytes.map_or(u64::MAX, u64::from_be_bytes),
                    &mut next,
                    &mut seen,
                );
            }
            Some(Event::Gap { count, .. }) => way.told += count,
            // Of what this end sent.
            Some(Event::Returned { .. }) => way.returned += 1,
            Some(_) => {}
            None => return,
        }
    }
}

/// Starts the server of the script, puts the proxy before it, and says where that is; reads what the script counted.
async fn socket_io(script: &Path, retries: &str) -> anyhow::Result<Seen> {
    let mut node = Command::new("node");
    node.arg(script)
        .args([retries, &CLIENTS.to_string(), &MESSAGES.to_string()])
        .args([PACE, SETTLE, CUT_OFF].map(|time| time.as_millis().to_string()))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true);
    let mut process = Process::start(&mut node)?;
    let server = process.line().await?.parse()?;
    let proxy = cutting(server).await?;
    let stdin = process.stdin.as_mut().context("its input")?;
    stdin.write_all(format!("{proxy}\n").as_bytes()).await?;
    let line = process.line().await?;
    let mut parts = line.split(';');
    let mut numbers = || -> anyhow::Result<Vec<u64>> {
        let part = parts.next().context("too few parts")?;
        let numbers = part.split(' ').filter(|it| !it.is_empty());
        Ok(numbers.map(str::parse).collect::<Result<_, _>>()?)
    };
    let way = |numbers: Vec<u64>| -> anyhow::Result<Way> {
        let [received, doubled, out_of_order] = numbers[..] else {
            anyhow::bail!("three numbers: {numbers:?}");
        };
        Ok(Way {
            received,
            doubled,
            out_of_order,
            told: 0,
            returned: 0,
        })
    };
    Ok(Seen {
        down: way(numbers()?)?,
        up: way(numbers()?)?,
        pauses: numbers()?.into_iter().map(Duration::from_millis).collect(),
    })
}
