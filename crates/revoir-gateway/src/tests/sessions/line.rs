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
}

/// What lies between clients and the gateway.
pub(super) struct Network {
    gateway: SocketAddr,
    state: Mutex<State>,
    /// It is up again.
    is_up: Notify,
}

#[derive(Default)]
struct State {
    is_down: bool,
    /// The last connection.
    last: Option<Arc<Mutex<Cable>>>,
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
            gateway,
            state: Mutex::default(),
            is_up: Notify::new(),
        }
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
    let stream = TcpStream::connect(network.gateway).await?;
    let cable = Arc::<Mutex<Cable>>::default();
    let mut state = network.state.lock().unwrap();
    state.last = Some(Arc::clone(&cable));
    drop(state);
    Ok(Line {
        stream: Some(stream),
        cable,
        is_reset: false,
    })
}

/// A stream that can be cut.
pub(super) struct Line {
    stream: Option<TcpStream>,
    cable: Arc<Mutex<Cable>>,
    is_reset: bool,
}

impl Line {
    /// Ends it, if it was cut.
    fn look(&mut self, cx: &Context<'_>) {
        let mut cable = self.cable.lock().unwrap();
        let struck = cable.struck.take();
        cable.waker = Some(cx.waker().clone());
        drop(cable);
        if let Some(how) = struck
            && let Some(stream) = self.stream.take()
            && how == How::Rst
        {
            self.is_reset = true;
            socket2::SockRef::from(&stream)
                .set_linger(Some(std::time::Duration::ZERO))
                .unwrap();
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
        self.look(cx);
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_read(cx, into),
            None => Poll::Ready(self.end()),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.look(cx);
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
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
