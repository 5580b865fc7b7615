//! Peers that never answer a Close frame: half of them only keep silent, half do not read either.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::STREAM;

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Opens `count` connections, and leaves them alone. They live as long as what is returned.
pub(crate) async fn open(address: SocketAddr, count: usize) -> anyhow::Result<Vec<TcpStream>> {
    let mut peers = Vec::new();
    for index in 0..count {
        let mut stream = TcpStream::connect(address).await.context("connect")?;
        stream.write_all(REQUEST.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.context("an answer")?);
        }
        if !answer.starts_with(b"HTTP/1.1 101") {
            bail!("not let in: {}", String::from_utf8_lossy(&answer));
        }
        if index % 2 == 0 {
            stream.write_all(&masked_text(STREAM)).await?;
        }
        peers.push(stream);
    }
    Ok(peers)
}

/// A text frame masked with zeros.
fn masked_text(text: &str) -> Vec<u8> {
    // Shorter than 126 bytes.
    let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
    frame.extend(text.as_bytes());
    frame
}
