//! Connections of clients that are cut.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Both see its end.
    Fin,
    /// Both see a reset.
    Rst,
    /// The client sees its end, and the gateway sees nothing.
    HalfOpen,
}

/// What lies between clients and the gateway.
pub(super) struct Network {
    gateway: Mutex<SocketAddr>,
    state: Mutex<State>,
    /// It is up again.
    is_up: Notify,
}

#[derive(Default)]
struct State {
    is_down: bool,
    /// What becomes of the connections to come: after so many bytes of the client or for it.
    faults: Vec<(usize, How)>,
    /// The last connection.
    last: Option<Arc<Mutex<Cable>>>,
    /// Connections that the gateway takes to be alive.
    abandoned: Vec<TcpStream>,
}

/// What is between a client and its stream.
#[derive(Default)]
struct Cable {
    struck: Option<How>,
    waker: Option<Waker>,
}

impl Network {
    pub(super) fn to(gateway: SocketAddr) -> Self {
        Self {
            gateway: Mutex::new(gateway),
            state: Mutex::default(),
            is_up: Notify::new(),
        }
    }

    /// Connections lead to this gateway from now on.
    pub(super) fn lead_to(&self, gateway: SocketAddr) {
        *self.gateway.lock().unwrap() = gateway;
    }

    /// Whether nobody gets to the gateway.
    pub(super) fn is_down(&self, is_down: bool) {
        self.state.lock().unwrap().is_down = is_down;
        self.is_up.notify_waiters();
    }

    /// Cuts the connection that there is.
    pub(super) fn cut(&self, how: How) {
        let last = self.state.lock().unwrap().last.take().unwrap();
        let mut cable = last.lock().unwrap();
        cable.struck = Some(how);
        if let Some(waker) = cable.waker.take() {
            waker.wake();
        }
    }

    /// What becomes of the connections to come, the last one first.
    pub(super) fn set_faults(&self, faults: Vec<(usize, How)>) {
        self.state.lock().unwrap().faults = faults;
    }

    pub(super) fn faults(&self) -> usize {
        self.state.lock().unwrap().faults.len()
    }
}

/// A connection to the gateway, once the network is up.
pub(super) async fn connect(network: Arc<Network>) -> io::Result<Line> {
    loop {
        let up = network.is_up.notified();
        if !network.state.lock().unwrap().is_down {
            break;
        }
        up.await;
    }
    let gateway = *network.gateway.lock().unwrap();
    let stream = TcpStream::connect(gateway).await?;
    let cable = Arc::<Mutex<Cable>>::default();
    let mut state = network.state.lock().unwrap();
    let fault = state.faults.pop();
    state.last = Some(Arc::clone(&cable));
    drop(state);
    Ok(Line {
        stream: Some(stream),
        network,
        cable,
        fault,
        is_reset: false,
    })
}

/// A stream that ends at a certain byte.
pub(super) struct Line {
    stream: Option<TcpStream>,
    network: Arc<Network>,
    cable: Arc<Mutex<Cable>>,
    fault: Option<(usize, How)>,
    is_reset: bool,
}

impl Line {
    /// How many bytes may still pass; `None`: it has ended.
    fn left(&mut self, cx: &Context<'_>) -> Option<usize> {
        let mut cable = self.cable.lock().unwrap();
        let struck = cable.struck.take();
        cable.waker = Some(cx.waker().clone());
        drop(cable);
        let how = match (struck, self.fault) {
            (Some(how), _) | (None, Some((0, how))) => how,
            (None, fault) => return fault.map_or(Some(usize::MAX), |(left, _)| Some(left)),
        };
        let stream = self.stream.take()?;
        match how {
            How::Fin => {}
            How::Rst => {
                self.is_reset = true;
                stream.set_zero_linger().unwrap();
            }
            How::HalfOpen => self.network.state.lock().unwrap().abandoned.push(stream),
        }
        None
    }

    fn passed(&mut self, bytes: usize) {
        if let Some((left, _)) = &mut self.fault {
            *left -= bytes;
            // Whoever waits to read shall see the end, although it came to a write.
            if *left == 0
                && let Some(waker) = self.cable.lock().unwrap().waker.take()
            {
                waker.wake();
            }
        }
    }

    fn end(&self) -> io::Result<()> {
        match self.is_reset {
            true => Err(io::ErrorKind::ConnectionReset.into()),
            false => Ok(()),
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.left(cx);
        let (Some(left), Some(stream)) = (left, self.stream.as_mut()) else {
            return Poll::Ready(self.end());
        };
        let mut bytes = vec![0; left.min(into.remaining())];
        let mut part = ReadBuf::new(&mut bytes);
        let polled = Pin::new(stream).poll_read(cx, &mut part);
        let count = part.filled().len();
        into.put_slice(part.filled());
        self.passed(count);
        polled
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let left = self.left(cx);
        let (Some(left), Some(stream)) = (left, self.stream.as_mut()) else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        let part = &bytes[..bytes.len().min(left)];
        let polled = Pin::new(stream).poll_write(cx, part);
        if let Poll::Ready(Ok(count)) = polled {
            self.passed(count);
        }
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}
