//! What sessions cost in Redis: `docs/session-stores.md` counts with it.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use revoir_session::SessionId;
use revoir_store::{Durable, Memory, Redis, Store, Write, Written};

use super::server::Server;
use crate::owners::World;

const SESSIONS: u32 = 100_000;

/// A number that the server tells of itself, behind this word.
fn told(server: &Server, about: &str, word: &str) -> f64 {
    let told = server.say(&["INFO", about]);
    let value = told.split_once(word).unwrap().1;
    let end = value
        .find(|it: char| !it.is_ascii_digit() && it != '.')
        .unwrap();
    value[..end].parse().unwrap()
}

/// The record of a session that keeps nothing.
async fn idle() -> Bytes {
    let memory = Memory::new().unwrap();
    let mut world = World::new(&memory, Durable::Acks).await;
    world.settle().await;
    let stored = memory.load(SessionId([5; 16])).await.unwrap();
    stored.unwrap().record
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn a_session_that_keeps_nothing_costs_a_few_hundred_bytes() {
    let server = Server::start(&[]);
    let store = Redis::new(&server.address()).unwrap();
    let record = idle().await;
    store.load(SessionId([1; 16])).await.unwrap();
    let used = || told(&server, "memory", "used_memory:");
    let seconds = || {
        let told = |name| told(&server, "cpu", name);
        told("used_cpu_user:") + told("used_cpu_sys:")
    };
    let before = (used(), seconds());
    let id = |number: u32| {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_le_bytes());
        SessionId(id)
    };
    let writes = (0..SESSIONS).map(|number| Write {
        session: id(number),
        expects: 0,
        generation: 1,
        owner: 7,
        record: record.clone(),
        keep: Duration::from_secs(3600),
    });
    let written = store.write(writes.collect()).await.unwrap();
    assert_eq!(written, vec![Written::Done; SESSIONS as usize]);
    let micros = (seconds() - before.1) * 1e6 / f64::from(SESSIONS);
    let bytes = (used() - before.0) / f64::from(SESSIONS);
    let key = server.say(&["EVAL", "return redis.call('KEYS', 'revoir:{01}:*')[1]", "0"]);
    let usage = server.say(&["MEMORY", "USAGE", key.lines().nth(1).unwrap()]);
    let mut out = std::io::stdout();
    let record = record.len();
    writeln!(
        out,
        "a session that keeps nothing: a record of {record} bytes, MEMORY USAGE {}, {bytes:.0} bytes in all; \
         a write takes {micros:.0} us of the server's processor",
        usage.trim(),
    )
    .unwrap();
    assert!(bytes < 512.0, "{bytes}");
}
