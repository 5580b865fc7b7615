//! Bodies of 1 GiB through the gateway, each way.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context, ensure};
use revoir_conformance::Serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::memory::{MIB, Watch, resident};

const BODY: u64 = 1024 * MIB;

/// A few buffers, and nothing that grows with the body.
const MOST_GROWTH: u64 = 8 * MIB;

const PIECE: usize = 64 * 1024;

/// What one body has shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    way: &'static str,
    seconds: f64,
    before: u64,
    most: u64,
}

/// Sends a body each way, and checks what is promised.
pub(crate) async fn play(revoir: &str) -> anyhow::Result<Vec<Row>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let upstream = format!("--upstream=ws://{}", listener.local_addr()?);
    let gateway = Serve::start(Path::new(revoir), &[upstream.as_ref()]).await?;
    let front = gateway.address();
    let serving = tokio::spawn(serve(listener));
    // What a process needs once.
    exchange(front, "PUT", 1).await?;
    let mut rows = Vec::new();
    for (way, method) in [("to the backend", "PUT"), ("to the client", "GET")] {
        let before = resident(gateway.id()?)?;
        let watch = Watch::start(gateway.id()?);
        let start = Instant::now();
        exchange(front, method, BODY).await?;
        let row = Row {
            way,
            seconds: start.elapsed().as_secs_f64(),
            before,
            most: watch.most().await?,
        };
        ensure!(
            row.most.saturating_sub(before) <= MOST_GROWTH,
            "the memory grows with the body: {row:?}"
        );
        rows.push(row);
    }
    serving.abort();
    Ok(rows)
}

async fn serve(listener: TcpListener) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        answer(stream).await?;
    }
}

/// Asks for a body of so many bytes, or sends one.
async fn exchange(front: SocketAddr, method: &str, bytes: u64) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(front).await?;
    let length = if method == "PUT" { bytes } else { 0 };
    let head = format!(
        "{method} /{bytes} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    if method == "PUT" {
        send(&mut stream, bytes).await?;
    }
    let head = head_of(&mut stream).await?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "{head}");
    if method == "GET" {
        take(&mut stream, bytes).await?;
    }
    Ok(())
}

/// The backend: takes a body, or sends one. The target says how long it is.
async fn answer(mut stream: TcpStream) -> anyhow::Result<()> {
    let head = head_of(&mut stream).await?;
    let mut words = head.split([' ', '/']);
    let method = words.next().unwrap_or_default();
    let bytes: u64 = words.nth(1).context("a target")?.parse()?;
    if method == "PUT" {
        take(&mut stream, bytes).await?;
    }
    let length = if method == "GET" { bytes } else { 0 };
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    if method == "GET" {
        send(&mut stream, bytes).await?;
    }
    stream.shutdown().await?;
    Ok(())
}

/// A head, to its last byte and not further.
async fn head_of(stream: &mut TcpStream) -> anyhow::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.context("no head")?);
    }
    Ok(String::from_utf8(head)?)
}

async fn send(stream: &mut TcpStream, bytes: u64) -> anyhow::Result<()> {
    let piece = pattern();
    let mut left = bytes;
    while left > 0 {
        let next = left.min(PIECE as u64) as usize;
        stream.write_all(&piece[..next]).await?;
        left -= next as u64;
    }
    Ok(())
}

/// Compares every byte.
async fn take(stream: &mut TcpStream, bytes: u64) -> anyhow::Result<()> {
    let expected = pattern();
    let mut got = vec![0; PIECE];
    let mut left = bytes;
    while left > 0 {
        let next = left.min(PIECE as u64) as usize;
        stream.read_exact(&mut got[..next]).await?;
        ensure!(got[..next] == expected[..next], "the body is another one");
        left -= next as u64;
    }
    Ok(())
}

/// Bytes of which no part looks like another one nearby.
fn pattern() -> Vec<u8> {
    (0..PIECE).map(|at| (at % 251) as u8).collect()
}

/// The rows as a table.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = format!(
        "## Bodies of {} MiB\n\n\
         Plain HTTP through the gateway, every byte compared.\n\n\
         | body | time | memory before | at most |\n|---|--:|--:|--:|\n",
        BODY / MIB
    );
    for row in rows {
        let (before, most) = (row.before as f64 / MIB as f64, row.most as f64 / MIB as f64);
        let _ = writeln!(
            text,
            "| {} | {:.1} s | {before:.1} MiB | {most:.1} MiB |",
            row.way, row.seconds
        );
    }
    text
}
