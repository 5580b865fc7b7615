//! Echoes messages by a handler of revoir over a stream in memory: the driver's turns without a kernel, for callgrind.
//!
//! `turn SIZE WINDOW READ COUNT` echoes COUNT binary messages of SIZE bytes. WINDOW of them lie in the stream before it
//! says that nothing is there, and a read gets READ bytes at most.

use std::future::{Future, poll_fn};
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use anyhow::{Result, bail};
use revoir::{Acceptor, Ending, Incoming, WebSocket};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

/// The client, as the server sees it. Nothing that it does is counted.
struct Client {
    has_asked: bool,
    frames: Vec<u8>,
    /// How much of `frames` was read.
    at: usize,
    /// How many times they are still to be read.
    left: usize,
    read_most: usize,
    /// Whether the stream has said that nothing is there, or is to say so.
    is_dry: bool,
    shared: Arc<Mutex<Shared>>,
}

/// What the client, the task that plays the network, and the end of the program share.
#[derive(Default)]
struct Shared {
    is_ready: bool,
    reader: Option<Waker>,
    network: Option<Waker>,
    written: usize,
    is_over: bool,
    waits_for_end: Option<Waker>,
}

/// Whatever a panic has left.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[inline(never)]
fn uncounted_read(client: &mut Client, cx: &Context<'_>, into: &mut ReadBuf<'_>) -> Poll<()> {
    if !std::mem::replace(&mut client.has_asked, true) {
        into.put_slice(REQUEST);
        return Poll::Ready(());
    }
    if client.is_dry {
        let mut shared = lock(&client.shared);
        if !std::mem::take(&mut shared.is_ready) {
            shared.reader = Some(cx.waker().clone());
            let network = shared.network.take();
            drop(shared);
            network.into_iter().for_each(Waker::wake);
            return Poll::Pending;
        }
        client.is_dry = false;
    }
    if client.at == client.frames.len() {
        if client.left == 0 {
            return Poll::Ready(());
        }
        (client.left, client.at) = (client.left - 1, 0);
    }
    let room = into.remaining().min(client.read_most);
    let rest = &client.frames[client.at..];
    let taken = &rest[..rest.len().min(room)];
    into.put_slice(taken);
    client.at += taken.len();
    // As a socket does that has not filled the buffer.
    client.is_dry = into.remaining() > 0;
    Poll::Ready(())
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        uncounted_read(&mut self, cx, into).map(Ok)
    }
}

impl AsyncWrite for Client {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        lock(&self.shared).written += bytes.len();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        lock(&self.shared).written += length;
        Poll::Ready(Ok(length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let mut shared = lock(&self.shared);
        shared.is_over = true;
        let waiting = shared.waits_for_end.take();
        drop(shared);
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// Says that more has arrived, after every other task had its turn.
async fn play_network(shared: Arc<Mutex<Shared>>) {
    poll_fn(|cx| {
        let mut shared = lock(&shared);
        shared.network = Some(cx.waker().clone());
        if let Some(reader) = shared.reader.take() {
            shared.is_ready = true;
            drop(shared);
            reader.wake();
        }
        Poll::Pending
    })
    .await
}

fn over(shared: &Mutex<Shared>) -> impl Future<Output = usize> {
    poll_fn(move |cx| {
        let mut shared = lock(shared);
        shared.waits_for_end = Some(cx.waker().clone());
        match shared.is_over {
            true => Poll::Ready(shared.written),
            false => Poll::Pending,
        }
    })
}

async fn echo(mut socket: WebSocket) -> Result<(), Arc<Ending>> {
    loop {
        let message = socket.recv().await?;
        socket.send(message).await?;
    }
}

fn frame(size: usize) -> Vec<u8> {
    let mut frame = vec![0x82];
    match size {
        0..126 => frame.push(0x80 | size as u8),
        126..65536 => {
            frame.push(0x80 | 126);
            frame.extend((size as u16).to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend((size as u64).to_be_bytes());
        }
    }
    frame.extend([1, 2, 3, 4]);
    frame.extend((0..size).map(|at| at as u8));
    frame
}

fn main() -> Result<()> {
    let words = std::env::args().skip(1).map(|word| word.parse());
    let numbers: Vec<usize> = words.collect::<Result<_, _>>()?;
    let [size, window, read_most, count] = numbers[..] else {
        bail!("turn SIZE WINDOW READ COUNT");
    };
    let frames = frame(size).repeat(window);
    let shared = Arc::new(Mutex::new(Shared::default()));
    let client = Client {
        has_asked: false,
        at: frames.len(),
        frames,
        left: count / window,
        read_most,
        is_dry: false,
        shared: Arc::clone(&shared),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    let written = runtime.block_on(async {
        tokio::spawn(play_network(Arc::clone(&shared)));
        let decide = |incoming: Incoming| async move { incoming.run(echo) };
        Acceptor::new().accept_incoming(client, decide).await?;
        anyhow::Ok(over(&shared).await)
    })?;
    writeln!(io::stdout(), "{written}")?;
    Ok(())
}
