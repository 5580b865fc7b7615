//! Between client and server: what cuts connections, and what makes the way long.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};

/// How a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Fin,
    Reset,
    /// Nothing arrives any more, either way.
    Silence,
    /// What the client sends does not arrive.
    DeafServer,
    /// What the server sends does not arrive.
    DeafClient,
}

impl Cut {
    pub(crate) const ALL: [Self; 5] = [
        Self::Fin,
        Self::Reset,
        Self::Silence,
        Self::DeafServer,
        Self::DeafClient,
    ];
}

/// How often each way was taken, and how often inside of what one end had written at once.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) cuts: [AtomicU64; 5],
    pub(crate) connections: AtomicU64,
    pub(crate) inside: AtomicU64,
}

/// Takes clients, connects to `server` for each, and has `pass` do the rest.
pub(crate) async fn between<F>(
    server: SocketAddr,
    pass: impl Fn(TcpStream, TcpStream) -> F + Send + Sync + 'static,
) -> anyhow::Result<SocketAddr>
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let pass = Arc::new(pass);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let pass = Arc::clone(&pass);
            tokio::spawn(async move {
                if let Ok(far) = TcpStream::connect(server).await {
                    pass(near, far).await;
                }
            });
        }
    });
    Ok(address)
}

/// Passes bytes on to `server`, and cuts each connection after 0.1 to 5 s. How and when is drawn from `seed` and from which
/// connection it is.
pub(crate) async fn cutting(
    server: SocketAddr,
    counts: Arc<Counts>,
    seed: u64,
) -> anyhow::Result<SocketAddr> {
    between(server, move |near, far| {
        let counts = Arc::clone(&counts);
        async move { one(near, far, &counts, seed).await }
    })
    .await
}

async fn one(near: TcpStream, far: TcpStream, counts: &Counts, seed: u64) {
    let number = counts.connections.fetch_add(1, Relaxed);
    let mut random = fastrand::Rng::with_seed(seed.wrapping_add(number));
    let which = random.usize(..Cut::ALL.len());
    let cut = Cut::ALL[which];
    let (struck, strike) = watch::channel(None);
    if cut == Cut::Reset {
        for socket in [&near, &far] {
            // Dropped, it resets.
            let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
    }
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    let up = pass(near_read, far_write, strike.clone(), true, counts);
    let down = pass(far_read, near_write, strike, false, counts);
    let striking = async {
        sleep(Duration::from_millis(random.u64(100..5000))).await;
        counts.cuts[which].fetch_add(1, Relaxed);
        struck.send_replace(Some(cut));
        // An end that notices closes its socket, which ends the other `pass`.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = async { tokio::join!(up, down) } => {}
        () = striking => {}
    }
}

/// Passes on what one end sends, until it ends or is cut. What has come when it is cut arrives in part.
async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut strike: watch::Receiver<Option<Cut>>,
    is_up: bool,
    counts: &Counts,
) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            biased;
            _ = strike.wait_for(Option::is_some) => break,
            read = from.read(&mut bytes) => read,
        };
        match read {
            Ok(length @ 1..) if to.write_all(&bytes[..length]).await.is_ok() => {}
            _ => return,
        }
    }
    let cut = *strike.borrow();
    let loses = match cut {
        Some(Cut::DeafServer) => is_up,
        Some(Cut::DeafClient) => !is_up,
        _ => true,
    };
    if !loses {
        let _ = tokio::io::copy(&mut from, &mut to).await;
        return;
    }
    // A part of what is on its way still arrives: it ends inside of a frame.
    if let Ok(length @ 2..) = from.try_read(&mut bytes) {
        counts.inside.fetch_add(1, Relaxed);
        let part = fastrand::usize(1..length);
        let _ = to.try_write(&bytes[..part]);
    }
    if let Some(Cut::Fin | Cut::Reset) = cut {
        return;
    }
    // Silent: nothing is passed on, until that end gives up.
    while let Ok(1..) = from.read(&mut bytes).await {}
}

/// Passes everything on to `server`, `delay` later.
pub(crate) async fn distant(server: SocketAddr, delay: Duration) -> anyhow::Result<SocketAddr> {
    between(server, move |near, far| async move {
        let (near_read, near_write) = near.into_split();
        let (far_read, far_write) = far.into_split();
        tokio::join!(
            late(near_read, far_write, delay),
            late(far_read, near_write, delay)
        );
    })
    .await
}

async fn late(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut waiting) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let reading = async move {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut bytes).await {
            let due = Instant::now() + delay;
            let _ = sender.send((due, bytes[..length].to_vec()));
        }
    };
    let writing = async {
        while let Some((due, bytes)) = waiting.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(reading, writing);
}
