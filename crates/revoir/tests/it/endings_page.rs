//! docs/endings.md: one ending for every cause, produced by a raw peer and written down.
//!
//! The page is compared with what really happens; `REVOIR_WRITE_DOCS=1` writes it anew.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use revoir::client::ConnectError;
use revoir::drain::Drain;
use revoir::ending::{CallSite, CloseFrame, Detail};
use revoir::tls::{ClientTls, ServerTls};
use revoir::{Acceptor, Cause, Client, Ending, SendCode, Server, WebSocket};
use tokio::runtime::Builder;

use crate::support::answer::answered;
use crate::support::peer::{Seen, open_over};
use crate::support::ports::nobody;
use crate::support::wire::{Stream, new_pem};
use crate::support::{Frame, Peer, Side, Wire, close_frame, memory, open, open_with, pem, reason};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/endings.md");

const HEAD: &str = "\
# One ending for every cause

Every connection ends with one `Ending`. This page has one for each `Cause`: what happened, what we sent
last, and the sentence that `Ending` prints. A test produces each with a peer that speaks bytes, and
compares (`cargo test -p revoir --test it endings_page`; with `REVOIR_WRITE_DOCS=1` it writes the page). Where
our Close frame is not answered the code is 1006, and the cause says what began it. After a ping that was
not answered we wait for no reply: 10 ms after our Close frame was queued, TCP is given up, whether or not
the frame has left. If the peer resets TCP within that time, the cause is `pong-timeout` as well, and the
sentence says that the peer did not answer before the connection was closed.

";

#[test]
fn the_page_shows_what_really_happens() {
    let mut page = HEAD.to_owned();
    let mut causes = Vec::new();
    page += "## Connections that were open\n\n| `cause` | what happened | we sent | the sentence |\n\
             |---|---|---|---|\n";
    for (happened, ending) in opened() {
        causes.push(ending.cause);
        page += &row(happened, &ending);
    }
    page += "\n## Connections that never opened\n\n| `cause` | what happened | the sentence |\n\
             |---|---|---|\n";
    for (happened, ending) in never_opened() {
        causes.push(ending.cause);
        let cause = ending.cause.id();
        page += &format!("| `{cause}` | {happened} | {} |\n", sentence(&ending));
    }
    assert_eq!(causes, Cause::ALL, "every cause, in order");
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| `") && !line.contains("| `cause`"));
    let distinct: HashSet<_> = rows
        .map(|row| row.rsplit_once(" | ").map(|(_, text)| text))
        .collect();
    assert_eq!(distinct.len(), causes.len(), "no two sentences are alike");

    if std::env::var_os("REVOIR_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap();
    assert_eq!(
        written, page,
        "docs/endings.md is out of date: REVOIR_WRITE_DOCS=1"
    );
}

fn row(happened: &str, ending: &Ending) -> String {
    let cause = ending.cause.id();
    let sent = ending
        .sent
        .as_ref()
        .map_or_else(|| "nothing".to_owned(), close);
    format!(
        "| `{cause}` | {happened} | {sent} | {} |\n",
        sentence(ending)
    )
}

fn close(frame: &CloseFrame) -> String {
    match frame.wire_code() {
        Some(code) => format!("Close {}", code.get()),
        None => "an empty Close".to_owned(),
    }
}

/// The sentence, with a place in the source that does not move.
fn sentence(ending: &Ending) -> String {
    let mut ending = ending.clone();
    if ending.closed_at.is_some() {
        ending.closed_at = Some(CallSite {
            file: "src/chat.rs".into(),
            line: 42,
            column: 12,
        });
    }
    format!("`{ending}`")
}

type Row = (&'static str, Ending);

fn opened() -> Vec<Row> {
    vec![
        (
            "A server sends Close 1012.",
            paused(async {
                let (socket, mut peer) = open(Side::Client, Wire::Memory).await;
                peer.send(&Frame::close(1012, "deploying")).await;
                last(socket, peer).await
            }),
        ),
        (
            "The application calls `close`, and the peer answers.",
            paused(async {
                let (socket, mut peer) = open(Side::Client, Wire::Memory).await;
                let closed = socket.close(SendCode::NORMAL_CLOSURE, reason(""));
                peer.next().await;
                peer.send(&Frame::close(1000, "")).await;
                peer.fin().await;
                Ending::clone(&*closed.await)
            }),
        ),
        ("The server drains, and the client answers.", drained()),
        (
            "A client's handles are dropped without a `close`.",
            paused(async {
                let (socket, mut peer) = open(Side::Client, Wire::Memory).await;
                let closed = socket.closed();
                drop(socket);
                peer.next().await;
                peer.send(&Frame::close(1000, "")).await;
                peer.fin().await;
                Ending::clone(&*closed.await)
            }),
        ),
        ("A server's handler returns an error.", handler_failed()),
        (
            "A server ends TCP after a minute of silence.",
            paused(async {
                let mut config = Side::Client.config();
                config.keepalive = None;
                let (socket, mut peer) = open_with(Side::Client, Wire::Memory, config).await;
                tokio::time::advance(Duration::from_secs(60)).await;
                peer.fin().await;
                last(socket, peer).await
            }),
        ),
        (
            "TCP is reset, right after the opening.",
            real(async {
                let (mut socket, mut peer) = open(Side::Client, Wire::Tcp).await;
                peer.reset();
                Ending::clone(&*socket.recv().await.unwrap_err())
            }),
        ),
        (
            "TCP ends under TLS, inside a frame.",
            real(async {
                let (socket, mut peer) = open(Side::Client, Wire::Tls).await;
                let frame = peer.bytes(&Frame::text("hello"));
                peer.write(&frame[..4]).await;
                peer.stream.truncate();
                last(socket, peer).await
            }),
        ),
        (
            "The peer is silent; not even a ping is answered.",
            paused(async {
                let (mut socket, _peer) = open(Side::Client, Wire::Memory).await;
                Ending::clone(&*socket.recv().await.unwrap_err())
            }),
        ),
        (
            "No message comes or goes within the limit of the application.",
            paused(async {
                let mut config = Side::Server.config();
                config.idle_timeout = Some(Duration::from_secs(60));
                config.keepalive = None;
                let (socket, mut peer) = open_with(Side::Server, Wire::Memory, config).await;
                let closed = socket.closed();
                peer.next().await;
                peer.send(&Frame::close(1001, "")).await;
                peer.fin().await;
                Ending::clone(&*closed.await)
            }),
        ),
        (
            "The peer reads nothing for 20 s.",
            paused(async {
                let (near, far) = memory::pair(1024);
                let (near, far) = (Stream::Memory(near), Stream::Memory(far));
                let config = Side::Server.config();
                let (mut socket, _peer) = open_over(Side::Server, near, far, config).await;
                socket.send_binary(vec![7; 10_000]).await.unwrap();
                Ending::clone(&*socket.recv().await.unwrap_err())
            }),
        ),
        (
            "A write fails.",
            paused(async {
                let (mut socket, peer) = open(Side::Client, Wire::Memory).await;
                peer.stream
                    .end()
                    .break_writes(std::io::ErrorKind::BrokenPipe);
                socket.send_text("lost").await.unwrap();
                last(socket, peer).await
            }),
        ),
        (
            "A client sends a frame without a mask.",
            broken(&[0x81, 1, b'a']),
        ),
        (
            "A client sends text that is not UTF-8.",
            broken(&[0x81, 0x81, 0, 0, 0, 0, 0xC0]),
        ),
        (
            "A client announces 32 MiB to a server that takes 1 MiB.",
            broken(&[0x82, 0xFF, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]),
        ),
    ]
}

fn never_opened() -> Vec<Row> {
    vec![
        (
            "The name does not resolve.",
            real(async {
                let mut ending = refused(&Client::new(), "ws://nowhere.invalid/").await;
                // The rest is said by the operating system, each in its own words.
                ending.detail = Detail::Text("nowhere.invalid: …".into());
                ending
            }),
        ),
        (
            "Nobody listens on the port.",
            real(async {
                let address = nobody();
                let ending = refused(&Client::new(), &format!("ws://{address}/")).await;
                at_port_9000(ending, address)
            }),
        ),
        (
            "There is no way to the address.",
            real(async { refused(&Client::new(), "ws://255.255.255.255/").await }),
        ),
        (
            "Nobody answers the SYN.",
            real(async {
                let any_port: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
                let (domain, kind) = (socket2::Domain::IPV4, socket2::Type::STREAM);
                let socket = socket2::Socket::new(domain, kind, None).unwrap();
                socket.bind(&any_port.into()).unwrap();
                socket.listen(0).unwrap();
                let address = socket.local_addr().unwrap().as_socket().unwrap();
                // A full backlog drops what comes: the same as a host that is down.
                let _first = std::net::TcpStream::connect(address).unwrap();
                let client = Client::new().with_connect_timeout(Duration::from_millis(50));
                let ending = refused(&client, &format!("ws://{address}/")).await;
                at_port_9000(ending, address)
            }),
        ),
        ("Nobody vouches for the server's certificate.", untrusted()),
        (
            "The server answers 503.",
            paused(answered(
                b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
                |_| {},
            )),
        ),
        (
            "The server answers 101 without Sec-WebSocket-Accept.",
            paused(answered(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                  Connection: Upgrade\r\n\r\n",
                |_| {},
            )),
        ),
        (
            "The server ends TCP inside its answer.",
            paused(answered(b"HTTP/1.1 ", |far| far.end().fail_reading(None))),
        ),
        (
            "TCP is reset inside the answer.",
            paused(answered(b"HTTP/1.1 ", |far| {
                far.end().fail(std::io::ErrorKind::ConnectionReset);
            })),
        ),
        ("The server does not answer.", paused(answered(b"", |_| {}))),
    ]
}

/// With a clock that moves when nothing else does.
fn paused<T>(future: impl Future<Output = T>) -> T {
    let mut builder = Builder::new_current_thread();
    builder
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

/// With the clock on the wall, for what the operating system does. How long a busy machine took for it is not for the page.
fn real(future: impl Future<Output = Ending>) -> Ending {
    let mut builder = Builder::new_current_thread();
    let mut ending = builder.enable_all().build().unwrap().block_on(future);
    ending.idle_for = Duration::ZERO;
    ending
}

/// The ending of a socket whose peer answers nothing any more.
async fn last(mut socket: WebSocket, mut peer: Peer) -> Ending {
    let receiving = async {
        loop {
            if let Err(ending) = socket.recv().await {
                return Ending::clone(&ending);
            }
        }
    };
    tokio::join!(receiving, peer.rest()).0
}

/// What a server makes of `bytes`.
fn broken(bytes: &[u8]) -> Ending {
    paused(async {
        let (socket, mut peer) = open(Side::Server, Wire::Memory).await;
        peer.write(bytes).await;
        last(socket, peer).await
    })
}

fn drained() -> Ending {
    paused(async {
        let (near, far) = memory::pair(64 * 1024);
        let acceptor = Acceptor::new();
        let mut peer = Peer::new(Stream::Memory(far), Side::Server);
        let (socket, ()) = tokio::join!(acceptor.accept(near), peer.request());
        let socket = socket.unwrap();
        let draining = acceptor.tracker().drain(Drain::restart());
        peer.next().await;
        peer.send(&Frame::close(1012, "")).await;
        peer.fin().await;
        let mut ending = Ending::clone(&*socket.closed().await);
        draining.await;
        // The slot is random.
        let reason = ending.sent.as_ref().map(|frame| frame.reason().as_str());
        assert!(reason.is_some_and(|it| it.starts_with("service restart [after=")));
        ending.sent = Some(close_frame(1012, "service restart [after=5217ms]"));
        ending
    })
}

fn handler_failed() -> Ending {
    real(async {
        let seen = Arc::new(Seen::default());
        let acceptor = Acceptor::new().with_observer(Arc::<Seen>::clone(&seen));
        let server = Server::bind("127.0.0.1:0")
            .await
            .unwrap()
            .with_acceptor(acceptor);
        let url = format!("ws://{}/", server.local_addr().unwrap());
        tokio::spawn(server.serve(|mut socket: WebSocket| async move {
            socket.recv().await?;
            Err::<(), Box<dyn std::error::Error + Send + Sync>>("the database is gone".into())
        }));
        let mut client = revoir::connect(&url).await.unwrap();
        client.send_text("hello").await.unwrap();
        client.closed().await;
        seen.ending().await
    })
}

fn untrusted() -> Ending {
    real(async {
        let (certificate, key) = pem();
        let tls = ServerTls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
        let server = Server::bind("127.0.0.1:0").await.unwrap().with_tls(tls);
        let port = server.local_addr().unwrap().port();
        tokio::spawn(server.serve(|mut socket| async move { socket.recv().await.map(drop) }));
        let stranger = ClientTls::with_roots(new_pem().0.as_bytes()).unwrap();
        let client = Client::new().with_tls(stranger);
        refused(&client, &format!("wss://localhost:{port}/")).await
    })
}

async fn refused(client: &Client, url: &str) -> Ending {
    match client.connect(url).await {
        Err(ConnectError::Ended(ending)) => Ending::clone(&ending),
        other => panic!("{other:?}"),
    }
}

/// The same with a port that does not change from run to run.
fn at_port_9000(mut ending: Ending, address: std::net::SocketAddr) -> Ending {
    assert_eq!(ending.detail, Detail::Text(address.to_string().into()));
    ending.detail = Detail::Text("127.0.0.1:9000".into());
    ending
}
