//! Three gateways that share a Redis, and lose each other, Redis, or only the way to it.

mod account;
mod backend;
mod namespace;
mod node;
mod phase;
mod redis;
mod walker;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::time::{Instant, sleep, sleep_until};

use self::account::Account;
use self::backend::Service;
use self::namespace::Namespace;
use self::node::{Node, Roads};
use self::phase::Phase;
use self::redis::RedisServer;
use self::walker::Walker;
use crate::process::with_keys;

const NODES: usize = 3;

/// A node is killed as often as this, and is there again after so long.
const KILL_EVERY: Duration = Duration::from_secs(10);
const GONE_FOR: Duration = Duration::from_secs(2);

/// Redis stands still, and a node does not reach it.
const FROZEN: Duration = Duration::from_secs(5);
const CUT_OFF: Duration = Duration::from_secs(10);

/// After each of these, until all is as it was.
const CALM: Duration = Duration::from_secs(10);

const START: Duration = Duration::from_secs(120);

/// How much there is of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) sessions: usize,
    /// Messages each way in each of them, in a second.
    pub(crate) rate: u32,
    /// So many times a node is killed.
    pub(crate) kills: usize,
}

impl Size {
    fn pace(self) -> Duration {
        Duration::from_secs(1) / self.rate.max(1)
    }
}

/// What is there, while it is there.
struct World {
    nodes: Vec<Node>,
    roads: Arc<Roads>,
    redis: RedisServer,
    service: Service,
    namespace: Namespace,
    walkers: Vec<Walker>,
}

pub(crate) async fn run(revoir: &Path, size: Size) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let namespace = Namespace::new()?;
    let redis = RedisServer::start(folder.path(), &namespace.redis()).await?;
    let service = Service::start(namespace.host(), size.pace()).await?;
    let roads = Arc::new(Roads::new(NODES));
    let path = with_keys(folder.path(), &config(&redis, service.address))?;
    let mut nodes = Vec::new();
    for number in 0..NODES {
        // The last one is in a namespace of its own.
        let inside = (number == NODES - 1).then_some(&namespace);
        nodes.push(Node::new(revoir, &path, (number, inside)));
    }
    for node in &mut nodes {
        node.start(&roads).await?;
    }
    let mut walkers = Vec::new();
    for _ in 0..size.sessions {
        walkers.push(Walker::start(&roads, service.talk(), size.pace())?);
        // Not all at once: it is not this that is looked at.
        sleep(Duration::from_millis(2)).await;
    }
    let mut world = World {
        nodes,
        roads,
        redis,
        service,
        namespace,
        walkers,
    };
    print_setting(size);
    world.all_have_begun().await?;
    world.kill_nodes(size.kills).await?;
    world.freeze_redis().await?;
    world.cut_one_off().await?;
    world.end().await
}

fn config(redis: &RedisServer, backend: std::net::SocketAddr) -> String {
    format!(
        "[session]\nkeys = \"session.keys\"\nstore = {{ redis = \"{}\" }}\n[drain]\nreturn-rate = 10000\n\
         [[route]]\nmode = \"hold\"\nupstreams = [\"ws://{backend}\"]\n[route.session]\nprincipal = \"none\"\n",
        redis.address
    )
}

fn print_setting(size: Size) {
    println!("## Three gateways and Redis\n");
    println!(
        "{} sessions, {} messages a second each way in each of them; {NODES} gateways, one of them in a network namespace of its own; a client goes to \
         one of the three by chance whenever it connects, also to one that is gone. Every {} s a gateway is killed (SIGKILL), and there again after {} s, \
         {} times. Then Redis is stopped for {} s (SIGSTOP). Then the one in the namespace does not reach Redis for {} s, and half of its clients lose their \
         connection in the middle of that.\n",
        size.sessions,
        size.rate,
        KILL_EVERY.as_secs(),
        GONE_FOR.as_secs(),
        size.kills,
        FROZEN.as_secs(),
        CUT_OFF.as_secs(),
    );
}

impl World {
    fn enter(&self, phase: Phase) {
        self.roads.enter(phase);
    }

    async fn all_have_begun(&self) -> anyhow::Result<()> {
        let until = Instant::now() + START;
        while self.walkers.iter().any(|it| !it.has_begun()) {
            anyhow::ensure!(Instant::now() < until, "not all sessions begin");
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    async fn kill_nodes(&mut self, kills: usize) -> anyhow::Result<()> {
        self.enter(Phase::Kills);
        let mut next = Instant::now();
        for kill in 0..kills {
            next += KILL_EVERY;
            sleep_until(next).await;
            // The last one first: it is to have clients when it is cut off.
            let node = &mut self.nodes[(kill + NODES - 1) % NODES];
            node.kill().await?;
            sleep(GONE_FOR).await;
            node.start(&self.roads).await?;
        }
        sleep(CALM).await;
        Ok(())
    }

    async fn freeze_redis(&self) -> anyhow::Result<()> {
        self.enter(Phase::Frozen);
        self.redis.freeze(FROZEN).await?;
        sleep(CALM).await;
        Ok(())
    }

    async fn cut_one_off(&self) -> anyhow::Result<()> {
        self.enter(Phase::CutOff);
        self.namespace.cut_off()?;
        // Longer than it takes until the gateway knows.
        sleep(CUT_OFF / 2).await;
        let there = self.walkers.iter().filter(|it| it.is_at(NODES - 1));
        there.step_by(2).for_each(Walker::lose_connection);
        sleep(CUT_OFF / 2).await;
        self.namespace.mend()?;
        sleep(CALM).await;
        Ok(())
    }

    async fn end(self) -> anyhow::Result<()> {
        self.enter(Phase::End);
        self.walkers.iter().for_each(Walker::stop);
        self.service.stop();
        sleep(CALM).await;
        let mut account = Account::default();
        for walker in &self.walkers {
            account.add(walker);
        }
        account.print();
        account.holds().context("three gateways and Redis")
    }
}
