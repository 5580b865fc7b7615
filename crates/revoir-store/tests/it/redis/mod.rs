//! What Redis adds: it is somewhere else. These start `redis-server`, and are run by `cargo xtask redis`.

mod channel;
mod cost;
mod faults;
mod proxy;
mod schedules;
mod server;
mod topologies;

use revoir_store::{Durable, Memory, Redis, Store};

use crate::conformance::all;
use crate::loss::{check, play, play_on};
use server::Server;

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn one_server_does_what_a_store_does() {
    let server = Server::start(&[]);
    let store = Redis::new(&server.address()).unwrap();
    all(&store, || drop(server.say(&["FLUSHALL"]))).await;
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn owners_are_lost_as_they_are_in_memory() {
    let server = Server::start(&[]);
    let store = Redis::new(&server.address()).unwrap();
    for seed in 0..100 {
        for durable in [Durable::Acks, Durable::BeforeSend] {
            server.say(&["FLUSHALL"]);
            let fates = play(&store, durable, seed).await;
            let expected = play(&Memory::new().unwrap(), durable, seed).await;
            assert_eq!(format!("{fates:?}"), format!("{expected:?}"), "{seed}");
        }
    }
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn sessions_walk_from_node_to_node() {
    let server = Server::start(&[]);
    let nodes = [0, 1, 2].map(|_| Redis::new(&server.address()).unwrap());
    let nodes = nodes.each_ref().map(|node| node as &dyn Store);
    for seed in 0..200 {
        server.say(&["FLUSHALL"]);
        check(&play_on(&nodes, Durable::Acks, seed, false).await, seed);
    }
}
