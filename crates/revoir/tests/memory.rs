//! What an idle connection holds on the heap, counted.
//!
//! A binary of its own with a single test, for an allocator that counts what the thread of the test does; its
//! runtime has no other. The thread that waits for the test allocates as well.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use revoir::{Acceptor, Client, ConnectionInfo, Ending, Message, Observer, Server, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Counting;

thread_local! {
    /// Bytes. What another thread has allocated may be freed in this one.
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// Bytes for each connection since `start`.
fn held_since(start: usize) -> usize {
    HELD.get().wrapping_sub(start) / CONNECTIONS
}

#[expect(
    unsafe_code,
    reason = "counting allocations needs an allocator of our own"
)]
// SAFETY: every call goes to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get().wrapping_add(layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub(layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CONNECTIONS: usize = 200;
const KIB: usize = 1024;

#[derive(Debug, Default)]
struct Count(AtomicUsize);

impl Observer for Count {
    fn opened(&self, _: &ConnectionInfo<'_>) {
        self.0.fetch_add(1, Relaxed);
    }

    fn ended(&self, _: &ConnectionInfo<'_>, ending: &Ending) {
        panic!("{ending}");
    }
}

/// Waits, as the server's handler does, with the driver in the same task.
async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        socket.send(message).await?;
    }
}

async fn exchange(socket: &mut WebSocket, length: usize) {
    socket
        .send(Message::Binary(vec![7; length].into()))
        .await
        .unwrap();
    assert_eq!(socket.recv().await.unwrap().as_bytes().len(), length);
}

/// Turns for all other tasks, until a second has passed in which nothing was to do.
async fn settle() {
    // Time goes to the next deadline when nothing is to be done.
    tokio::time::pause();
    tokio::time::timeout(Duration::from_millis(2500), std::future::pending::<()>())
        .await
        .unwrap_err();
    tokio::time::resume();
}

#[tokio::test]
async fn an_idle_connection_stays_within_its_bounds() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let opened = Arc::new(Count::default());
    let server = server.with_acceptor(Acceptor::new().with_observer(Arc::clone(&opened) as _));
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve(echo));
    let client = Client::new();
    let url = format!("ws://{address}/");
    // Whatever a process allocates once.
    let mut first = client.connect(&url).await.unwrap();
    exchange(&mut first, 100_000).await;

    // What tokio holds for TCP alone, and one side with a raw peer at the other end.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    let mut pairs = Vec::with_capacity(CONNECTIONS);
    let mut peers = Vec::with_capacity(CONNECTIONS);
    let mut sockets = Vec::with_capacity(CONNECTIONS);
    settle().await;

    let start = HELD.get();
    for _ in 0..CONNECTIONS {
        let (one, two) = tokio::join!(TcpStream::connect(to), listener.accept());
        pairs.push((one.unwrap(), two.unwrap().0));
    }
    let tcp = held_since(start) / 2;

    let start = HELD.get();
    for _ in 0..CONNECTIONS {
        peers.push(raw_exchange(address, 100).await);
    }
    settle().await;
    let server = held_since(start) - 2 * tcp;

    let start = HELD.get();
    for _ in 0..CONNECTIONS {
        let mut socket = client.connect(&url).await.unwrap();
        exchange(&mut socket, 100).await;
        sockets.push(socket);
    }
    settle().await;
    let both = held_since(start) - 2 * tcp;

    for socket in &mut sockets {
        exchange(socket, 300_000).await;
    }
    settle().await;
    let after = held_since(start) - 2 * tcp;
    // Not before: a line that the harness keeps is on the heap of this thread.
    println!("server: {server}, with the handler's task; tokio's TCP beside it: {tcp}");
    println!("client: {}, with the driver's task", both - server);
    println!("both after a message of 300,000 bytes: {after}, before it: {both}");
    assert_eq!(opened.0.load(Relaxed), 2 * CONNECTIONS + 1);
    assert!(after <= both, "memory is given back: {both}, then {after}");
    assert!(both - server <= KIB, "{}", both - server);
    assert!(server <= KIB, "{server}");
}

/// A raw client that gets `length` bytes echoed.
async fn raw_exchange(server: SocketAddr, length: u8) -> TcpStream {
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let mut frame = vec![0x82, 0x80 | length, 0, 0, 0, 0];
    frame.resize(6 + usize::from(length), 7);
    stream.write_all(&frame).await.unwrap();
    let mut answer = vec![0; 2 + usize::from(length)];
    stream.read_exact(&mut answer).await.unwrap();
    stream
}
