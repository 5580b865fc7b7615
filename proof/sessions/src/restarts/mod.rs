//! A gateway whose sessions are in a file, and that is stopped and killed over and over.

mod backend;
mod client;
mod gateway;
mod tally;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::time::{sleep, timeout};

use self::backend::Backend;
use self::client::Client;
use self::gateway::{Gateway, How};
use self::tally::Tally;

/// So often it ends, in turn by SIGTERM and by SIGKILL.
const POINTS: u64 = 100;

/// Without a store.
const POINTS_IN_MEMORY: u64 = 10;

/// On each route.
const CLIENTS: usize = 10;

/// Both ends say something as often as this.
const PACE: Duration = Duration::from_millis(20);

/// A gateway lives for so long, drawn anew each time.
const LIVES: std::ops::Range<u64> = 200..800;

/// Until all are back, and have said what they have to say.
const BACK: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(3);

/// How sessions of a route are kept, and what becomes of them by rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// Held, acknowledgements wait.
    Acks,
    /// Held, messages wait as well.
    BeforeSend,
    /// Its backend is for one connection.
    Tunnel,
}

impl Route {
    const ALL: [Self; 3] = [Self::Acks, Self::BeforeSend, Self::Tunnel];

    const fn path(self) -> &'static str {
        match self {
            Self::Acks => "/acks",
            Self::BeforeSend => "/before-send",
            Self::Tunnel => "/tunnel",
        }
    }

    const fn verdict(self) -> &'static str {
        match self {
            Self::Acks | Self::BeforeSend => "resumed",
            Self::Tunnel => "fresh:backend",
        }
    }

    fn config(self, backend: std::net::SocketAddr) -> String {
        let (mode, durable) = match self {
            Self::Acks => ("hold", "acks"),
            Self::BeforeSend => ("hold", "before-send"),
            Self::Tunnel => ("tunnel", "acks"),
        };
        format!(
            "[[route]]\npath = \"{}\"\nmode = \"{mode}\"\nupstreams = [\"ws://{backend}\"]\n\
             [route.session]\nprincipal = \"none\"\ndurable = \"{durable}\"\n",
            self.path()
        )
    }
}

pub(crate) async fn run(revoir: &Path) -> anyhow::Result<()> {
    println!("## A gateway that is stopped and killed\n");
    println!(
        "{CLIENTS} sessions on each of three routes, a message each way every {} ms in each. The gateway lives for 0.2 to 0.8 s, \
         then it gets SIGTERM or SIGKILL in turn, {POINTS} times with a file as the store, and {POINTS_IN_MEMORY} times without one; \
         the next one begins at once.\n",
        PACE.as_millis()
    );
    println!("Without a store:\n");
    let in_memory = stage(revoir, false).await;
    println!("With a file:\n");
    // What one misses does not keep the other from being measured.
    stage(revoir, true).await.and(in_memory)
}

/// All routes, with a file as the store or without one.
async fn stage(revoir: &Path, has_store: bool) -> anyhow::Result<()> {
    let (store, points) = match has_store {
        true => ("store = { disk = \"sessions.redb\" }", POINTS),
        false => ("", POINTS_IN_MEMORY),
    };
    let backend = Backend::start().await?;
    let routes = Route::ALL.map(|route| route.config(backend.address));
    let folder = tempfile::tempdir()?;
    let config = format!(
        "[session]\nkeys = \"session.keys\"\n{store}\n[drain]\ntime = \"5s\"\nrestart = true\nready-in = \"0s\"\n\
         return-rate = 1000\nclosing-over = \"0s\"\n{}",
        routes.concat()
    );
    let mut gateway = Gateway::new(revoir, folder.path(), &config)?;
    gateway.start().await?;
    let at = gateway.at();
    let mut clients = Vec::new();
    for route in Route::ALL {
        for _ in 0..CLIENTS {
            let talk = backend.talk();
            clients.push((route, Client::start(&at, route.path(), talk)?));
        }
    }
    all_are_back(&clients, 1).await?;
    let mut random = fastrand::Rng::with_seed(7);
    let mut ends = Vec::new();
    for point in 0..points {
        sleep(Duration::from_millis(random.u64(LIVES))).await;
        let how = match point % 2 {
            0 => How::Term,
            _ => How::Kill,
        };
        gateway.end(how).await?;
        // What was sent until it was gone went with this one.
        ends.push((how, Instant::now()));
        gateway.start().await?;
        all_are_back(&clients, point + 2).await?;
    }
    for (_, client) in &clients {
        client.stop();
    }
    sleep(SETTLE).await;
    let mut tallies = Route::ALL.map(|route| (route, Tally::default()));
    for (route, client) in clients {
        let tally = tallies.iter_mut().find(|(one, _)| *one == route);
        let (_, tally) = tally.context("its route")?;
        tally.add(&client, &ends);
    }
    tally::print(&tallies);
    let mut wrong = Vec::new();
    for (route, tally) in &tallies {
        match has_store {
            true => {
                wrong.extend(tally.wrong(route.verdict()));
                wrong.extend(tally.wrong_in_store(*route == Route::BeforeSend));
            }
            false => wrong.extend(tally.wrong("fresh:epoch")),
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => bail!("{}", wrong.join("; ")),
    }
}

/// Waits until each of them has had so many verdicts.
async fn all_are_back(clients: &[(Route, Client)], verdicts: u64) -> anyhow::Result<()> {
    let waiting = async {
        for (_, client) in clients {
            client.has_verdicts(verdicts).await;
        }
    };
    let waited = timeout(BACK, waiting).await;
    waited.with_context(|| {
        let late = clients.iter().filter(|(_, it)| it.verdicts() < verdicts);
        let late: Vec<_> = late.map(|(route, it)| (route, it.verdicts())).collect();
        format!("not back after {BACK:?}, at point {verdicts}: {late:?}")
    })
}

/// What one client and its backend have said, and heard.
#[derive(Debug, Default)]
struct Talk {
    at_client: std::sync::Mutex<AtClient>,
    at_backend: std::sync::Mutex<AtBackend>,
}

#[derive(Debug, Default)]
struct AtClient {
    sent: u64,
    got: Vec<u64>,
    returned: Vec<u64>,
    /// What it was told of its session, and when.
    verdicts: Vec<(Instant, &'static str)>,
    /// So many messages will not come, as it was told then.
    missing: Vec<(Instant, u64)>,
    /// Another backend, as it was told then: so many messages may not have been read by the one before.
    changes: Vec<(Instant, u64)>,
}

#[derive(Debug, Default)]
struct AtBackend {
    /// Numbers that were given so far; one whose connection broke was not sent.
    given: u64,
    /// When each was handed to the system.
    sent: Vec<(u64, Instant)>,
    got: Vec<u64>,
}

impl AtBackend {
    const fn next(&mut self) -> u64 {
        self.given += 1;
        self.given - 1
    }
}

type SharedTalk = Arc<Talk>;
