//! A gateway whose sessions are in a file, and that is stopped and killed over and over.

mod backend;
mod client;
mod gateway;
mod route;
mod talk;
mod tally;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::time::{sleep, timeout};

use self::backend::Backend;
use self::client::Client;
use self::gateway::{Gateway, How};
use self::route::Route;
use self::talk::PACE;
use self::tally::Tally;

/// So often it ends, in turn by SIGTERM and by SIGKILL.
const POINTS: u64 = 100;

/// Without a store.
const POINTS_IN_MEMORY: u64 = 10;

/// On each route.
const CLIENTS: usize = 10;

/// A gateway lives for so long, drawn anew each time.
const LIVES: std::ops::Range<u64> = 200..800;

/// Until all are back, and have said what they have to say.
const BACK: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(3);

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
