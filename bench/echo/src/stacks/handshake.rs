//! The opening handshake of the peers: the same for all, and not what is measured.

use std::future::Future;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stacks::{accept_each, runtime};

/// RFC 6455 section 1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const HEAD_LIMIT: usize = 4096;

/// Listens, and runs `echo` in a task of its own for each connection.
pub(super) fn serve<F>(
    listening: &mut dyn FnMut(u16) -> Result<()>,
    echo: impl Fn(TcpStream) -> F + Copy + Send + 'static,
) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    accept_each(&runtime()?, listening, |stream| {
        tokio::spawn(async move {
            if let Ok(stream) = open(stream).await {
                // A task of its own size: it does not pay for its handshake.
                tokio::spawn(echo(stream));
            }
        });
    })
}

async fn open(mut stream: TcpStream) -> Result<TcpStream> {
    let mut head = Vec::with_capacity(512);
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < HEAD_LIMIT, "the request is too long");
        ensure!(stream.read_buf(&mut head).await? > 0, "no request came");
    }
    let head = String::from_utf8(head)?;
    let key = head
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .context("the request has no key")?;
    let mut hash = sha1_smol::Sha1::from(key);
    hash.update(GUID);
    let accept = STANDARD.encode(hash.digest().bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    Ok(stream)
}
