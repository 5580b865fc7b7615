//! A client that connects again by itself meets the same as the first time.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use revoir_conform::{ClientUnderTest, Options, Subject, Suite, play};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What the answer to a request over HTTP has behind its head.
async fn ask(address: SocketAddr, head: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let request =
        format!("{head} HTTP/1.1\r\nHost: suite\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    Ok(body.to_owned())
}

/// Sends a request for a WebSocket, and returns what comes back until the stream ends.
async fn open(url: &str) -> io::Result<Vec<u8>> {
    let rest = url.strip_prefix("ws://").unwrap_or_default();
    let (authority, path) = rest.split_once('/').unwrap_or_default();
    let mut stream = TcpStream::connect(authority).await?;
    let request = format!(
        "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn who_connects_again_finds_the_same_and_not_a_closed_port() {
    let cases = Suite::load()
        .unwrap()
        .chosen(&["opening.client.fin-after-request".to_owned()]);
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let client = ClientUnderTest::walking(loopback, false, None, "[]".to_owned());
    let client = Arc::new(client.await.unwrap());
    let address = client.address().unwrap();
    let walk = tokio::spawn(async move {
        let next = ask(address, "GET /next", "").await.unwrap();
        let next: serde_json::Value = serde_json::from_str(&next).unwrap();
        let url = next["url"].as_str().unwrap().to_owned();
        let found = [open(&url).await, open(&url).await, open(&url).await];
        let path = url.splitn(4, '/').nth(3).unwrap();
        let closed = format!("{{\"event\":\"closed\",\"at\":\"/{path}\",\"code\":1006}}");
        ask(address, "POST /events", &closed).await.unwrap();
        (url, found.map(Result::unwrap))
    });
    client.begin().await.unwrap();
    let subject: Arc<dyn Subject> = client.clone();
    let outcomes = play(&subject, &cases, Options::default(), |_, _, _| {}).await;
    let (url, found) = walk.await.unwrap();
    assert!(found.iter().all(Vec::is_empty), "{found:?}");
    assert_eq!(outcomes[0].wire.last().unwrap().what, "connects again x2");
    // It is over: the port is closed.
    assert_eq!(
        open(&url).await.unwrap_err().kind(),
        io::ErrorKind::ConnectionRefused
    );
}
