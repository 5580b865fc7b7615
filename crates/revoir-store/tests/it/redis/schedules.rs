//! Owners, and a Redis that stands still, restarts empty, or is cut off, in random order: a model knows what may be there.

use std::time::Duration;

use bytes::Bytes;
use revoir_session::SessionId;
use revoir_store::{Redis, Store, Stored, Write, Written};

use super::proxy::Proxy;
use super::server::Server;
use crate::loss::Random;

/// What the store has of the one session.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    generation: u64,
    owner: u64,
    /// The number of the write, which is its record, too.
    number: u64,
}

impl Kept {
    fn read(stored: &Stored) -> Self {
        let record = std::str::from_utf8(&stored.record).unwrap();
        Self {
            generation: stored.generation,
            owner: stored.owner,
            number: record.parse().unwrap(),
        }
    }
}

/// An owner, and what it knows.
struct Node {
    store: Redis,
    owner: u64,
    /// What it was answered to be its own.
    has: u64,
}

struct World {
    server: Server,
    proxies: Vec<Proxy>,
    nodes: Vec<Node>,
    /// What may be there.
    possible: Vec<Option<Kept>>,
    /// Writes that were not answered: they may have been done, or may come yet.
    open: Vec<Write>,
    writes: u64,
}

const ID: SessionId = SessionId([9; 16]);

impl World {
    fn new() -> Self {
        let server = Server::start(&[]);
        let proxies: Vec<_> = (0..2).map(|_| Proxy::start(server.port)).collect();
        let nodes = proxies.iter().zip(1..).map(|(proxy, owner)| Node {
            store: Redis::new(&proxy.address()).unwrap(),
            owner,
            has: 0,
        });
        Self {
            nodes: nodes.collect(),
            server,
            proxies,
            possible: vec![None],
            open: Vec::new(),
            writes: 0,
        }
    }

    /// One of these is there, or what an open write makes of it.
    fn may_be(&mut self, possible: Vec<Option<Kept>>) {
        self.possible = possible;
        let mut next = 0;
        while let Some(there) = self.possible.get(next).cloned() {
            next += 1;
            for write in self.open.iter().filter(|write| does(write, &there)) {
                let kept = Some(kept(write));
                if !self.possible.contains(&kept) {
                    self.possible.push(kept);
                }
            }
        }
    }

    /// A node goes on with what it has, or takes what is there.
    async fn write(&mut self, node: usize, claims: bool) {
        let owner = self.nodes[node].owner;
        let mut expects = self.nodes[node].has;
        if claims || expects == 0 {
            let Ok(stored) = self.nodes[node].store.load(ID).await else {
                return;
            };
            let seen = stored.as_ref().map(Kept::read);
            self.is_there(&seen);
            expects = expects.max(stored.map_or(0, |stored| stored.generation));
        }
        self.writes += 1;
        let write = Write {
            session: ID,
            expects,
            generation: expects + u64::from(claims || expects == 0),
            owner,
            record: Bytes::from(self.writes.to_string()),
            keep: Duration::from_secs(3600),
        };
        let done = |there: &Option<Kept>| does(&write, there);
        match self.nodes[node]
            .store
            .write(vec![write.clone()])
            .await
            .as_deref()
        {
            Ok([Written::Done]) => {
                assert!(
                    self.possible.iter().any(done),
                    "{:?} {write:?}",
                    self.possible
                );
                self.nodes[node].has = write.generation;
                self.may_be(vec![Some(kept(&write))]);
            }
            Ok([Written::Fenced]) => {
                assert!(
                    !self.possible.iter().all(done),
                    "{:?} {write:?}",
                    self.possible
                );
                self.nodes[node].has = 0;
                let mut possible = self.possible.clone();
                possible.retain(|there| !done(there));
                self.may_be(possible);
            }
            Ok(other) => panic!("one answer: {other:?}"),
            Err(_) => {
                self.open.push(write);
                self.may_be(self.possible.clone());
            }
        }
    }

    /// This was read. What else was possible is so still: it may come yet.
    fn is_there(&self, seen: &Option<Kept>) {
        assert!(
            self.possible.contains(seen),
            "{seen:?} of {:?}",
            self.possible
        );
    }

    async fn settle(&mut self) {
        self.server.thaw();
        for proxy in &self.proxies {
            proxy.cut_behind(0);
            proxy.cut();
        }
        let store = &self.nodes[0].store;
        let stored = super::faults::until_back(async || store.load(ID).await).await;
        let seen = stored.as_ref().map(Kept::read);
        self.is_there(&seen);
        self.may_be(vec![seen]);
    }
}

fn kept(write: &Write) -> Kept {
    let record = std::str::from_utf8(&write.record).unwrap();
    Kept {
        generation: write.generation,
        owner: write.owner,
        number: record.parse().unwrap(),
    }
}

/// Whether this write is done where that is. One that was overtaken by a later one is not.
fn does(write: &Write, there: &Option<Kept>) -> bool {
    let Some(there) = there else { return true };
    let is_its = (there.generation, there.owner) == (write.generation, write.owner);
    write.fits(Some((there.generation, there.owner)))
        && (!is_its || there.number < kept(write).number)
}

async fn play(seed: u64) -> u64 {
    let mut random = Random(seed);
    let mut world = World::new();
    for _ in 0..12 {
        for _ in 0..random.below(6) {
            let node = random.below(2) as usize;
            world.write(node, random.below(3) == 0).await;
        }
        match random.below(5) {
            0 => {
                world.server.freeze();
                world
                    .write(random.below(2) as usize, random.below(2) == 0)
                    .await;
                world.server.thaw();
            }
            1 => {
                world.server.kill();
                world.write(random.below(2) as usize, false).await;
                world.server.run();
                // What was on its way to it is gone as well.
                world.open.clear();
                world.possible = vec![None];
            }
            2 => {
                let proxy = &world.proxies[random.below(2) as usize];
                proxy.cut();
                proxy.cut_behind(15_000 + random.below(12_000));
            }
            3 => world.proxies[random.below(2) as usize].cut(),
            _ => {}
        }
        if random.below(3) == 0 {
            world.settle().await;
        }
    }
    world.settle().await;
    world.writes
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn whatever_happens_the_store_has_what_it_may_have() {
    let schedules = std::env::var("REVOIR_REDIS_SCHEDULES");
    let schedules = schedules.map_or(40, |count| count.parse().unwrap());
    let mut writes = 0;
    for seed in 0..schedules {
        writes += play(seed).await;
    }
    assert!(writes > 5 * schedules, "most schedules write");
}
