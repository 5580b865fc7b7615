//! Redis stands still, is lost, goes back, refuses; and each time it is known what follows.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use bytes::Bytes;
use revoir_session::SessionId;
use revoir_store::{Redis, Store, StoreError, Written};

use super::proxy::Proxy;
use super::server::Server;
use crate::conformance::{there, write};

const DONE: [Written; 1] = [Written::Done];

/// Nothing takes longer than a second, by the clock of whoever asks; this one has a few more for a machine that is busy.
const BOUND: Duration = Duration::from_secs(5);

/// Asks, and fails if there is no answer in time.
async fn within<T>(asked: impl Future<Output = T>) -> T {
    let answered = tokio::time::timeout(BOUND, asked).await;
    answered.expect("an answer within the bound")
}

/// Asks until it is there again, as whoever has something to write does.
pub(super) async fn until_back<T>(mut ask: impl AsyncFnMut() -> Result<T, StoreError>) -> T {
    let begin = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => assert!(begin.elapsed() < Duration::from_secs(60), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn what_stands_still_is_away_and_comes_back() {
    let server = Server::start(&[]);
    let store = Redis::new(&server.address()).unwrap();
    let epoch = store.epoch(SessionId([1; 16]));
    assert_eq!(
        store.write(vec![write(1, 0, 1, "before")]).await.unwrap(),
        DONE
    );
    assert_ne!(
        store.epoch(SessionId([1; 16])),
        epoch,
        "Redis has said another one"
    );
    server.freeze();
    for _ in 0..3 {
        assert!(
            within(store.write(vec![write(1, 1, 1, "frozen")]))
                .await
                .is_err()
        );
        assert!(within(store.load(SessionId([1; 16]))).await.is_err());
    }
    server.thaw();
    until_back(async || store.load(SessionId([1; 16])).await).await;
    let written = until_back(async || store.write(vec![write(1, 1, 1, "after")]).await).await;
    assert_eq!(written, DONE);
    assert_eq!(there(&store, 1).await, Some((Bytes::from("after"), 1)));
    assert_eq!(store.setbacks(), 0, "nothing was lost");
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn a_write_that_was_overtaken_changes_nothing() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    let store = Redis::new(&proxy.address()).unwrap();
    assert_eq!(
        store.write(vec![write(1, 0, 1, "first")]).await.unwrap(),
        DONE
    );
    proxy.hold();
    assert!(
        store
            .write(vec![write(1, 1, 1, "held back")])
            .await
            .is_err()
    );
    let again = write(1, 1, 1, "said again");
    let written = until_back(async || store.write(vec![again.clone()]).await).await;
    assert_eq!(written, DONE);
    let calls = || {
        let told = server.say(&["INFO", "commandstats"]);
        let calls = told.split("cmdstat_evalsha:calls=").nth(1).unwrap();
        calls.split(',').next().unwrap().parse::<u64>().unwrap()
    };
    let before = calls();
    proxy.release();
    // It arrives, on a connection that nobody has any more.
    let arrives = async {
        while calls() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), arrives)
        .await
        .expect("what was held arrives");
    assert_eq!(there(&store, 1).await, Some((Bytes::from("said again"), 1)));
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn what_restarts_empty_is_another_incarnation_and_is_told_again() {
    let mut server = Server::start(&[]);
    let store = Redis::new(&server.address()).unwrap();
    let id = SessionId([1; 16]);
    store
        .write(vec![write(1, 0, 5, "owner"), write(2, 0, 1, "other")])
        .await
        .unwrap();
    let epoch = store.epoch(id);
    server.kill();
    assert!(within(store.load(id)).await.is_err());
    server.run();
    assert_eq!(until_back(async || store.load(id).await).await, None);
    assert_ne!(store.epoch(id), epoch, "tokens of before are told apart");
    assert!(store.setbacks() > 0, "owners write again");
    let written = store.write(vec![write(1, 5, 5, "owner")]).await.unwrap();
    assert_eq!(written, DONE);
    assert_eq!(there(&store, 1).await, Some((Bytes::from("owner"), 5)));
}

/// A node that has nothing to write asks once a second, with an empty write.
async fn until_noticed(store: &Redis, setbacks: u64) {
    until_back(async || {
        store.write(Vec::new()).await?;
        match store.setbacks() > setbacks {
            true => Ok(()),
            false => Err(StoreError::new("nothing is noticed")),
        }
    })
    .await;
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn who_has_nothing_to_write_notices_as_well() {
    let mut server = Server::start(&[]);
    let store = Redis::new(&server.address()).unwrap();
    assert_eq!(store.write(Vec::new()).await.unwrap(), []);
    let epoch = store.epoch(SessionId([1; 16]));
    server.say(&["FLUSHALL"]);
    until_noticed(&store, 0).await;
    assert_ne!(store.epoch(SessionId([1; 16])), epoch);
    let setbacks = store.setbacks();
    server.kill();
    let away = async || match store.write(Vec::new()).await {
        Ok(_) => Err(StoreError::new("it is not noticed that it is away")),
        Err(_) => Ok(()),
    };
    within(until_back(away)).await;
    server.run();
    until_noticed(&store, setbacks).await;
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn what_forgets_without_a_restart_is_noticed_by_the_next_write() {
    let server = Server::start(&[]);
    let store = Redis::new(&server.address()).unwrap();
    store.write(vec![write(1, 0, 1, "one")]).await.unwrap();
    let epoch = store.epoch(SessionId([1; 16]));
    server.say(&["FLUSHALL"]);
    assert_eq!(
        store.write(vec![write(1, 1, 1, "one")]).await.unwrap(),
        DONE
    );
    assert_ne!(store.epoch(SessionId([1; 16])), epoch);
    assert_eq!(store.setbacks(), 1);
    // And by whoever only reads.
    let other = Redis::new(&server.address()).unwrap();
    there(&other, 1).await.unwrap();
    assert_eq!(
        other.epoch(SessionId([1; 16])),
        store.epoch(SessionId([1; 16]))
    );
    server.say(&["FLUSHALL"]);
    assert_eq!(there(&other, 1).await, None);
    assert_ne!(
        other.epoch(SessionId([1; 16])),
        store.epoch(SessionId([1; 16]))
    );
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn a_script_that_was_forgotten_is_told_again() {
    let server = Server::start(&[]);
    let store = Redis::new(&server.address()).unwrap();
    for generation in 1..4 {
        server.say(&["SCRIPT", "FLUSH"]);
        let expects = generation - 1;
        let writes = vec![
            write(1, expects, generation, "a"),
            write(1, generation, generation, "b"),
            write(2, expects, generation, "c"),
        ];
        assert_eq!(store.write(writes).await.unwrap(), [Written::Done; 3]);
        assert_eq!(there(&store, 1).await, Some((Bytes::from("b"), generation)));
    }
}

/// A pipeline may be cut anywhere: what was answered is there, and what was not can be said again.
#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn a_connection_may_be_cut_inside_a_pipeline() {
    let server = Server::start(&[]);
    let proxy = Proxy::start(server.port);
    let store = Redis::new(&proxy.address()).unwrap();
    let writes = |round: u64| {
        let write = |session| write(session, round - 1, round, "a record that is not that short");
        (1..20).map(write).collect::<Vec<_>>()
    };
    let (mut failed, mut round) = (0, 0);
    for bytes in (15_000..23_000).step_by(331) {
        round += 1;
        proxy.cut();
        proxy.cut_behind(bytes);
        match store.write(writes(round)).await {
            Ok(written) => assert_eq!(written, [Written::Done; 19]),
            Err(_) => failed += 1,
        }
        proxy.cut_behind(0);
        proxy.cut();
        let written = until_back(async || store.write(writes(round)).await).await;
        assert_eq!(written, [Written::Done; 19], "{bytes}");
        for session in 1..20 {
            assert_eq!(there(&store, session).await.unwrap().1, round, "{bytes}");
        }
    }
    assert!(failed > 0, "some were cut");
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn a_server_that_may_not_write_is_away() {
    let (server, other) = (Server::start(&[]), Server::start(&[]));
    let store = Redis::new(&server.address()).unwrap();
    store.write(vec![write(1, 0, 1, "one")]).await.unwrap();
    server.say(&["REPLICAOF", "127.0.0.1", &other.port.to_string()]);
    assert!(
        within(store.write(vec![write(1, 1, 1, "replica")]))
            .await
            .is_err()
    );
    assert!(within(store.load(SessionId([1; 16]))).await.is_err());
    server.say(&["REPLICAOF", "NO", "ONE"]);
    let written = until_back(async || store.write(vec![write(1, 1, 1, "master")]).await).await;
    assert_eq!(written, DONE);
    assert!(store.setbacks() > 0);
}

#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn a_server_without_memory_refuses_writes_and_goes_on_reading() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let store = Redis::new(&server.address()).unwrap();
    store.write(vec![write(1, 0, 1, "one")]).await.unwrap();
    server.say(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = within(store.write(vec![write(1, 1, 1, "two")]))
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("OOM"), "{refused}");
    assert_eq!(there(&store, 1).await, Some((Bytes::from("one"), 1)));
    server.say(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(
        store.write(vec![write(1, 1, 1, "two")]).await.unwrap(),
        DONE
    );
}

/// A server that answers everything with one line, for so many connections.
fn refusing(line: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while reader.read_line(&mut head).is_ok_and(|count| count > 0) {
                    let words: usize = head[1..].trim().parse().unwrap();
                    for _ in 0..words {
                        head.clear();
                        reader.read_line(&mut head).unwrap();
                        let length: usize = head[1..].trim().parse().unwrap();
                        reader.read_exact(&mut vec![0; length + 2]).unwrap();
                    }
                    head.clear();
                    if stream.write_all(line.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
#[ignore = "is run with the others: cargo xtask redis"]
async fn whatever_is_refused_is_told_and_is_never_an_answer() {
    for (line, told) in [
        (
            "-LOADING Redis is loading the dataset in memory\r\n",
            "LOADING",
        ),
        ("-MOVED 3999 127.0.0.1:6381\r\n", "cluster"),
        ("-ASK 3999 127.0.0.1:6381\r\n", "cluster"),
        ("-NOAUTH Authentication required.\r\n", "NOAUTH"),
        ("-MISCONF Errors writing to the AOF file\r\n", "MISCONF"),
        ("-BUSY Redis is busy running a script\r\n", "BUSY"),
        ("-CLUSTERDOWN The cluster is down\r\n", "CLUSTERDOWN"),
        ("+OK\r\n", ""),
        (":7\r\n", ""),
        ("$-1\r\n", ""),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", ""),
    ] {
        let port = refusing(line);
        let store = Redis::new(&format!("redis://127.0.0.1:{port}")).unwrap();
        let refused = within(store.load(SessionId([1; 16]))).await.unwrap_err();
        let refused = refused.to_string();
        assert!(
            refused.to_uppercase().contains(&told.to_uppercase()),
            "{line}: {refused}"
        );
        assert!(
            within(store.write(vec![write(1, 0, 1, "one")]))
                .await
                .is_err(),
            "{line}"
        );
    }
}

/// The versions of what stands in front of a record; records themselves are a matter of `revoir-session`.
#[tokio::test]
#[ignore = "starts redis-server: cargo xtask redis"]
async fn nodes_of_two_versions_share_a_store() {
    let server = Server::start(&[]);
    let store = Redis::new(&server.address()).unwrap();
    let id = SessionId([1; 16]);
    store.write(vec![write(1, 0, 1, "one")]).await.unwrap();
    let key = "revoir:{01}:01010101010101010101010101010101";
    // A later node has written three bytes that this one does not know.
    let script = "local v = redis.call('GET', KEYS[1]) redis.call('SET', KEYS[1], \
        string.sub(v, 1, 33) .. string.char(3) .. 'new' .. string.sub(v, 35), 'KEEPTTL')";
    server.say(&["EVAL", script, "1", key]);
    assert_eq!(there(&store, 1).await, Some((Bytes::from("one"), 1)));
    let written = store
        .write(vec![write(1, 1, 2, "two"), write(1, 1, 1, "late")])
        .await;
    assert_eq!(written.unwrap(), [Written::Done, Written::Fenced]);
    // One that cannot be understood is not taken for gone, nor written over.
    let script = "redis.call('SETRANGE', KEYS[1], 0, string.char(2))";
    server.say(&["EVAL", script, "1", key]);
    let told = store.load(id).await.unwrap_err().to_string();
    assert!(told.contains("version 2"), "{told}");
    let told = store
        .write(vec![write(1, 2, 3, "three")])
        .await
        .unwrap_err();
    assert!(told.to_string().contains("VERSION"), "{told}");
}

#[tokio::test]
#[ignore = "is of the store in Redis: cargo xtask redis"]
async fn a_server_without_tls_is_away_for_who_wants_tls() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let deaf = tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    let store = Redis::new(&format!("rediss://127.0.0.1:{port}")).unwrap();
    for _ in 0..2 {
        let error = within(store.load(SessionId([1; 16]))).await.unwrap_err();
        assert!(!error.to_string().contains("panicked"), "{error}");
    }
    deaf.abort();
}
