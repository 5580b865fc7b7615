//! The gateway's edge under thousands of clients that are slow, or there and quiet.
#![expect(
    clippy::print_stdout,
    reason = "the runner writes a page of what is said here"
)]

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use revoir_conformance::Serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::crowd::resident;
use crate::process::{Process, free_port, load};

const SLOW_HEADS: usize = 9000;
const UNFINISHED: usize = 1000;

/// Slow heads that leave before the bodies come: with 20,000 files, 9,985 clients can have an upstream.
const LEAVE: usize = 50;
const CONNECTIONS: usize = 9000;

/// Requests of good clients meanwhile, and how many at a time.
const GOOD: usize = 2000;
const AT_ONCE: usize = 4;

/// What is promised.
const HEAD_LIMIT: u64 = 4096;
const GOOD_LIMIT: Duration = Duration::from_millis(50);
const METRICS_LIMIT: Duration = Duration::from_millis(20);

/// For anything to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Until memory is looked at: what was freed is, and what comes has come.
const SETTLE: Duration = Duration::from_secs(2);

/// Half a head, as slow clients send it.
const HALF: &str = "GET /slow HTTP/1.1\r\nHost: a.example\r\nUser-Agent: slow/1.0\r\nX-A: b\r\n";

/// A request without the end of its body, and without most of it.
const POST: &str = "POST /slow HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\nsome";

/// Plays everything, and prints what came of it.
pub(crate) async fn run(revoir: &str) -> anyhow::Result<()> {
    let load_before = load();
    let folder = tempfile::tempdir().context("a folder")?;
    let config = folder.path().join("revoir.toml");
    let socket = folder.path().join("admin.sock");
    let (backend, chat, metrics) = (backend().await?, free_port()?, free_port()?);
    let echo = Process::own(&["crowd-backend", &chat.to_string(), "1"]).await?;
    let text = format!(
        "access-log = \"all\"\n[limits]\nhandshake-time = \"10m\"\nbody-time = \"10m\"\n\
         [admin]\nlisten = \"unix:{}\"\nmetrics = \"127.0.0.1:{metrics}\"\n\
         [[route]]\nupstreams = [\"ws://{backend}\"]\n\
         [[route]]\npath = \"/chat\"\nping-interval = \"0s\"\nupstreams = [\"ws://127.0.0.1:{chat}\"]\n",
        socket.display()
    );
    fs::write(&config, text).context("write the configuration")?;
    let gateway = Serve::start(Path::new(revoir), &["--config".as_ref(), config.as_ref()]).await?;
    let (front, process) = (gateway.address(), gateway.id()?);

    // Threads, buffers and code are there before anything is counted.
    good(front, GOOD / 10).await?;
    sleep(SETTLE).await;
    let alone = good(front, GOOD).await?;
    let empty = resident(process)?;
    let mut heads = crowd(front, SLOW_HEADS, HALF).await?;
    sleep(SETTLE).await;
    let with_heads = resident(process)?;
    heads.truncate(SLOW_HEADS - LEAVE);
    sleep(SETTLE).await;
    let posts = crowd(front, UNFINISHED, POST).await?;
    sleep(SETTLE).await;
    let with_posts = resident(process)?;
    let beside = good(front, GOOD).await?;
    drop(posts);
    sleep(SETTLE).await;
    let without_posts = resident(process)?;
    // Long enough to be passed on.
    let long = format!("{POST}{}", "a".repeat(8192));
    let posts = crowd(front, UNFINISHED, &long).await?;
    sleep(SETTLE).await;
    let with_long_posts = resident(process)?;
    drop((heads, posts));
    let each = |after: u64, before: u64, count: usize| after.saturating_sub(before) / count as u64;
    let of_heads = each(with_heads, empty, SLOW_HEADS);
    let of_posts = each(with_posts, with_heads, UNFINISHED);
    let of_long_posts = each(with_long_posts, without_posts, UNFINISHED);
    println!("| what | figure | promised |\n|---|--:|--:|");
    println!(
        "| memory of each of {SLOW_HEADS} unfinished heads | {of_heads} bytes | {HEAD_LIMIT} |"
    );
    println!(
        "| memory of each of {UNFINISHED} unfinished bodies, 4 bytes of which have come | {of_posts} bytes | {HEAD_LIMIT} |"
    );
    println!(
        "| the same, 8 KiB of which have come and been passed on | {of_long_posts} bytes | counts as 49152 |"
    );
    println!(
        "| p99 of {GOOD} requests without them | {} | |",
        milliseconds(alone)
    );
    println!(
        "| p99 of {GOOD} requests beside both | {} | {} |",
        milliseconds(beside),
        milliseconds(GOOD_LIMIT)
    );

    sleep(SETTLE).await;
    let clients = connected(front, CONNECTIONS).await?;
    sleep(SETTLE).await;
    let scrapes = scrapes(SocketAddr::from(([127, 0, 0, 1], metrics))).await?;
    drop((clients, echo));
    println!(
        "| `/metrics` with {CONNECTIONS} WebSockets, the median | {} | {} |",
        milliseconds(scrapes),
        milliseconds(METRICS_LIMIT)
    );

    println!(
        "\nThe load of the machine was {load_before} before, and {} behind.",
        load()
    );

    ensure!(of_heads <= HEAD_LIMIT, "a head costs {of_heads} bytes");
    ensure!(of_posts <= HEAD_LIMIT, "a body costs {of_posts} bytes");
    ensure!(
        of_long_posts <= 49152,
        "a body that is passed on costs {of_long_posts} bytes"
    );
    ensure!(beside <= GOOD_LIMIT, "good clients wait for {beside:?}");
    ensure!(scrapes <= METRICS_LIMIT, "/metrics takes {scrapes:?}");
    Ok(())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

/// So many clients that send `start` and then nothing.
async fn crowd(front: SocketAddr, count: usize, start: &str) -> anyhow::Result<Vec<TcpStream>> {
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let mut stream = connect(front).await?;
        stream.write_all(start.as_bytes()).await.context("write")?;
        all.push(stream);
    }
    Ok(all)
}

/// So many WebSockets that say nothing, and answer no pings.
async fn connected(front: SocketAddr, count: usize) -> anyhow::Result<Vec<TcpStream>> {
    const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\
                           Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                           Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let mut stream = connect(front).await?;
        let head = exchange(&mut stream, REQUEST).await?;
        ensure!(head.starts_with("HTTP/1.1 101 "), "no WebSocket: {head}");
        all.push(stream);
    }
    Ok(all)
}

/// The p99 of requests on connections of their own, some at a time.
async fn good(front: SocketAddr, count: usize) -> anyhow::Result<Duration> {
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        tasks.spawn(async move {
            let mut took = Vec::new();
            for _ in 0..count / AT_ONCE {
                let begin = Instant::now();
                let mut stream = connect(front).await?;
                let request = "GET /good HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
                let head = exchange(&mut stream, request).await?;
                ensure!(head.starts_with("HTTP/1.1 200 "), "no answer: {head}");
                took.push(begin.elapsed());
            }
            Ok(took)
        });
    }
    let mut all = Vec::new();
    for took in tasks.join_all().await {
        all.extend(took?);
    }
    all.sort();
    all.get(all.len() * 99 / 100)
        .copied()
        .context("no requests")
}

/// The median of some scrapes.
async fn scrapes(metrics: SocketAddr) -> anyhow::Result<Duration> {
    let mut all = Vec::new();
    for _ in 0..21 {
        let begin = Instant::now();
        let mut stream = connect(metrics).await?;
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream
            .write_all(request.as_bytes())
            .await
            .context("write")?;
        let mut answer = String::new();
        let read = timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
        read.context("no answer in time")?.context("read")?;
        all.push(begin.elapsed());
        let open =
            format!("revoir_connections{{route=\"/chat\",state=\"attached\"}} {CONNECTIONS}");
        ensure!(answer.contains(&open), "other connections: {answer}");
    }
    all.sort();
    Ok(all[all.len() / 2])
}

async fn connect(to: SocketAddr) -> anyhow::Result<TcpStream> {
    let connected = timeout(PATIENCE, TcpStream::connect(to)).await;
    connected
        .context("no connection in time")?
        .context("connect")
}

/// Sends a request and reads to the end of the answer's head.
async fn exchange(stream: &mut TcpStream, request: &str) -> anyhow::Result<String> {
    stream
        .write_all(request.as_bytes())
        .await
        .context("write")?;
    let mut head = Vec::new();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        let read = timeout(PATIENCE, stream.read_buf(&mut head)).await;
        let count = read.context("no answer in time")?.context("read")?;
        ensure!(count > 0, "it ended: {:?}", String::from_utf8_lossy(&head));
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// A backend that answers requests for `/good`, and waits for the end of others.
async fn backend() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("listen")?;
    let address = listener.local_addr().context("its address")?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    Ok(address)
}

async fn answer(mut stream: TcpStream) {
    let mut input = Vec::new();
    while let Ok(1..) = stream.read_buf(&mut input).await {
        if input.starts_with(b"POST ") {
            continue;
        }
        if input.ends_with(b"\r\n\r\n") {
            input.clear();
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}
