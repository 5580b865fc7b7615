//! Sentinel, and a cluster: the suite, a failover, and slots that move.

use bytes::Bytes;
use revoir_session::SessionId;
use revoir_store::{Redis, Store, StoreError, Written};

use super::faults::until_back;
use super::server::Server;
use crate::conformance::{all, there, write};

const DONE: [Written; 1] = [Written::Done];

/// A master with a replica, and three sentinels.
struct Watched {
    master: Server,
    replica: Server,
    sentinels: Vec<Server>,
}

impl Watched {
    fn start() -> Self {
        let master = Server::start(&[]);
        let port = master.port.to_string();
        let replica = Server::start(&[
            "--replicaof",
            "127.0.0.1",
            &port,
            "--repl-diskless-sync-delay",
            "0",
        ]);
        replica.say_until(&["INFO", "replication"], "master_link_status:up");
        let sentinels = (0..3).map(|_| Server::sentinel(master.port)).collect();
        let watched = Self {
            master,
            replica,
            sentinels,
        };
        for sentinel in &watched.sentinels {
            let knows = ["num-slaves\r\n$1\r\n1", "num-other-sentinels\r\n$1\r\n2"];
            for knows in knows {
                sentinel.say_until(&["SENTINEL", "MASTER", "main"], knows);
            }
        }
        watched
    }

    fn address(&self) -> String {
        let at = |sentinel: &Server| format!("127.0.0.1:{}", sentinel.port);
        let sentinels: Vec<_> = self.sentinels.iter().map(at).collect();
        format!("redis+sentinel://{}/main", sentinels.join(","))
    }
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn sentinels_say_who_the_master_is_and_who_is_next() {
    let mut watched = Watched::start();
    let store = Redis::new(&watched.address()).unwrap();
    all(&store, || drop(watched.master.say(&["FLUSHALL"]))).await;
    let id = SessionId([1; 16]);
    // Its record is gone each time, so each is another claim, which a replica has once it is answered.
    for generation in 1..20 {
        let claim = write(1, generation - 1, generation, "claimed");
        watched
            .master
            .say(&["DEL", "revoir:{01}:01010101010101010101010101010101"]);
        assert_eq!(store.write(vec![claim]).await.unwrap(), DONE);
    }
    let (epoch, setbacks) = (store.epoch(id), store.setbacks());
    watched.master.kill();
    let stored = until_back(async || store.load(id).await).await.unwrap();
    assert_eq!(stored.generation, 19, "the replica was waited for");
    assert_eq!(store.epoch(id), epoch, "it is the same incarnation");
    assert!(store.setbacks() > setbacks, "owners assert theirs");
    assert_eq!(
        store
            .write(vec![write(1, 19, 19, "asserted")])
            .await
            .unwrap(),
        DONE
    );
    let told = watched
        .replica
        .say(&["EXISTS", "revoir:{01}:01010101010101010101010101010101"]);
    assert_eq!(told, ":1\r\n");
}

/// Two claims at one generation, one on each side of a failover that lost the first: one is fenced.
#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn a_failover_that_loses_a_claim_leaves_one_owner() {
    let mut watched = Watched::start();
    let [one, two] = [0, 1].map(|_| Redis::new(&watched.address()).unwrap());
    assert_eq!(
        one.write(vec![write(1, 0, 4, "before")]).await.unwrap(),
        DONE
    );
    watched.replica.say(&["REPLICAOF", "NO", "ONE"]);
    // Sentinels would make it a replica again.
    watched.replica.freeze();
    let mut claim = write(1, 4, 5, "one");
    claim.owner = 1;
    assert_eq!(one.write(vec![claim.clone()]).await.unwrap(), DONE);
    watched.master.kill();
    watched.replica.thaw();
    let stored = until_back(async || two.load(SessionId([1; 16])).await)
        .await
        .unwrap();
    assert_eq!(stored.generation, 4, "the claim was lost");
    let mut second = write(1, 4, 5, "two");
    second.owner = 2;
    assert_eq!(
        until_back(async || two.write(vec![second.clone()]).await).await,
        DONE
    );
    // The first asserts what it has, and learns of it.
    claim.expects = 5;
    let asserted = until_back(async || one.write(vec![claim.clone()]).await).await;
    assert_eq!(asserted, [Written::Fenced]);
    assert_eq!(there(&two, 1).await, Some((Bytes::from("two"), 5)));
}

/// Three masters, each with a replica.
struct Cluster {
    nodes: Vec<Server>,
}

impl Cluster {
    fn start() -> Self {
        let args = [
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "1000",
            "--repl-diskless-sync-delay",
            "0",
        ];
        let nodes: Vec<_> = (0..6).map(|_| Server::start(&args)).collect();
        for (number, node) in nodes.iter().enumerate() {
            node.say(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            if number > 0 {
                nodes[0].say(&["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string()]);
            }
            if number < 3 {
                let first = [0, 5462, 10923, 16384];
                let last = (first[number + 1] - 1).to_string();
                node.say(&[
                    "CLUSTER",
                    "ADDSLOTSRANGE",
                    &first[number].to_string(),
                    &last,
                ]);
            }
        }
        for node in &nodes {
            node.say_until(&["CLUSTER", "INFO"], "cluster_known_nodes:6");
            node.say_until(&["CLUSTER", "INFO"], "cluster_state:ok");
        }
        let cluster = Self { nodes };
        for number in 0..3 {
            let id = cluster.id(number);
            let replica = &cluster.nodes[number + 3];
            replica.say_until(&["CLUSTER", "REPLICATE", &id], "OK");
            replica.say_until(&["INFO", "replication"], "master_link_status:up");
        }
        for number in 0..3 {
            cluster.nodes[number].say_until(&["INFO", "replication"], "connected_slaves:1");
        }
        cluster
    }

    fn id(&self, number: usize) -> String {
        let told = self.nodes[number].say(&["CLUSTER", "MYID"]);
        told.lines().nth(1).unwrap().to_owned()
    }

    fn address(&self) -> String {
        let nodes = self.nodes.iter();
        let nodes: Vec<_> = nodes
            .map(|node| format!("127.0.0.1:{}", node.port))
            .collect();
        format!("redis+cluster://{}", nodes.join(","))
    }
}

/// Whether the replica of a master has all that is there.
fn has_replicated(master: &Server) -> bool {
    let told = master.say(&["INFO", "replication"]);
    let behind = |word: &str| {
        let rest = told.split_once(word)?.1;
        rest.split([',', '\r']).next()?.parse::<u64>().ok()
    };
    let replica = behind(",offset=");
    replica.is_some() && replica == behind("master_repl_offset:")
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn a_cluster_does_what_a_store_does_and_a_master_may_be_lost() {
    let mut cluster = Cluster::start();
    let store = Redis::new(&cluster.address()).unwrap();
    all(&store, || {
        for node in &cluster.nodes[..3] {
            node.say(&["FLUSHALL"]);
        }
    })
    .await;
    let writes = |expects, generation, record| {
        let writes = (0..=255).map(|session| write(session, expects, generation, record));
        writes.collect::<Vec<_>>()
    };
    for node in &cluster.nodes[..3] {
        node.say(&["FLUSHALL"]);
    }
    let written = store.write(writes(0, 1, "before")).await.unwrap();
    assert_eq!(written, [Written::Done; 256]);
    let epochs: Vec<_> = (0..=255)
        .map(|part| store.epoch(SessionId([part; 16])))
        .collect();
    let setbacks = store.setbacks();
    // Epochs are not waited for: a replica that has not got them yet would have others.
    until_back(async || match has_replicated(&cluster.nodes[0]) {
        true => Ok(()),
        false => Err(StoreError::new("not replicated yet")),
    })
    .await;
    cluster.nodes[0].kill();
    let written = until_back(async || store.write(writes(1, 2, "after")).await).await;
    assert_eq!(written, [Written::Done; 256]);
    for session in 0..=255 {
        assert_eq!(
            there(&store, session).await,
            Some((Bytes::from("after"), 2))
        );
    }
    let now: Vec<_> = (0..=255)
        .map(|part| store.epoch(SessionId([part; 16])))
        .collect();
    assert_eq!(now, epochs, "replicas have them");
    // It is looked for once a second, also by who has nothing to write.
    until_back(async || {
        store.write(Vec::new()).await?;
        match store.setbacks() > setbacks {
            true => Ok(()),
            false => Err(StoreError::new("not noticed yet")),
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn slots_move_between_the_nodes_of_a_cluster() {
    let cluster = Cluster::start();
    let store = Redis::new(&cluster.address()).unwrap();
    assert_eq!(
        store.write(vec![write(1, 0, 1, "one")]).await.unwrap(),
        DONE
    );
    let told = cluster.nodes[0].say(&["CLUSTER", "KEYSLOT", "revoir:{01}"]);
    let slot = told[1..].trim().to_owned();
    let from = [5462, 10923, 16384]
        .iter()
        .position(|end| slot.parse::<u32>().unwrap() < *end);
    let from = from.unwrap();
    let to = (from + 1) % 3;
    let (from_id, to_id) = (cluster.id(from), cluster.id(to));
    let (from, to) = (&cluster.nodes[from], &cluster.nodes[to]);
    to.say(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    from.say(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    // Its keys are still there.
    assert_eq!(
        store.write(vec![write(1, 1, 1, "moving")]).await.unwrap(),
        DONE
    );
    let key = "revoir:{01}:01010101010101010101010101010101";
    let port = to.port.to_string();
    from.say(&["MIGRATE", "127.0.0.1", &port, "", "0", "1000", "KEYS", key]);
    // One key is here and one there: nobody can say, so it is away, and not lost.
    let split = tokio::time::timeout(
        std::time::Duration::from_secs(5),
        store.load(SessionId([1; 16])),
    );
    assert!(split.await.unwrap().is_err());
    from.say(&[
        "MIGRATE",
        "127.0.0.1",
        &port,
        "",
        "0",
        "1000",
        "KEYS",
        "revoir:{01}",
    ]);
    // All are there, and the first node says ASK.
    let written = until_back(async || store.write(vec![write(1, 1, 1, "asked")]).await).await;
    assert_eq!(written, DONE);
    for node in [to, from] {
        node.say(&["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
    let written = until_back(async || store.write(vec![write(1, 1, 2, "moved")]).await).await;
    assert_eq!(written, DONE);
    assert_eq!(there(&store, 1).await, Some((Bytes::from("moved"), 2)));
}
