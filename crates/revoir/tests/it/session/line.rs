//! A connection that fails in a way, and at a byte, of our choice.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::support::memory::{self, End};

/// How a connection fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Both ends read to the end of the stream.
    Fin,
    /// Both ends get an error.
    Reset,
    /// Nothing arrives any more, and nobody is told.
    Silence,
    /// What the client sends does not arrive any more, and nobody is told.
    DeafServer,
    /// What the server sends does not arrive any more, and nobody is told.
    DeafClient,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Fin,
        Self::Reset,
        Self::Silence,
        Self::DeafServer,
        Self::DeafClient,
    ];
}

/// How a connection fails, once so many bytes were written by both ends together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) after: usize,
}

impl Fault {
    pub(crate) const fn now(kind: Kind) -> Self {
        Self { kind, after: 0 }
    }
}

#[derive(Debug, Default)]
struct State {
    fault: Option<Fault>,
    waiting: Vec<Waker>,
}

/// What a test cuts.
#[derive(Clone, Debug)]
pub(crate) struct Cable(Arc<Mutex<State>>);

impl Cable {
    pub(crate) fn strike(&self, fault: Fault) {
        let mut state = self.0.lock().unwrap();
        state.fault = Some(fault);
        state.waiting.drain(..).for_each(Waker::wake);
    }

    /// How it has failed, if it has.
    fn struck(&self) -> Option<Kind> {
        let state = self.0.lock().unwrap();
        let fault = state.fault.filter(|fault| fault.after == 0);
        fault.map(|fault| fault.kind)
    }

    /// How many of so many bytes still arrive.
    fn admit(&self, length: usize) -> usize {
        match self.0.lock().unwrap().fault {
            Some(fault) => length.min(fault.after),
            None => length,
        }
    }

    fn wrote(&self, length: usize) {
        let mut state = self.0.lock().unwrap();
        if let Some(fault) = &mut state.fault {
            fault.after -= length;
            if fault.after == 0 {
                state.waiting.drain(..).for_each(Waker::wake);
            }
        }
    }

    fn wait(&self, cx: &Context<'_>) {
        self.0.lock().unwrap().waiting.push(cx.waker().clone());
    }
}

/// One end of it.
#[derive(Debug)]
pub(crate) struct Line {
    end: End,
    cable: Cable,
    is_client: bool,
}

/// The client's end, the server's, and what cuts them.
pub(crate) fn pair(fault: Option<Fault>) -> (Line, Line, Cable) {
    let state = State {
        fault,
        waiting: Vec::new(),
    };
    let cable = Cable(Arc::new(Mutex::new(state)));
    let (near, far) = memory::pair(64 * 1024);
    let line = |end, is_client| Line {
        end,
        cable: cable.clone(),
        is_client,
    };
    (line(near, true), line(far, false), cable)
}

impl Line {
    /// Whether what this end writes is lost.
    const fn loses(&self, kind: Kind) -> bool {
        match kind {
            Kind::Silence => true,
            Kind::DeafServer => self.is_client,
            Kind::DeafClient => !self.is_client,
            Kind::Fin | Kind::Reset => false,
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let kind = self.cable.struck();
        if kind == Some(Kind::Reset) {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        if kind == Some(Kind::Fin) && self.end.is_dry() {
            return Poll::Ready(Ok(()));
        }
        let is_deaf = match kind {
            Some(Kind::Silence) => true,
            Some(Kind::DeafServer) => !self.is_client,
            Some(Kind::DeafClient) => self.is_client,
            _ => false,
        };
        self.cable.wait(cx);
        // What has arrived can be read; that the other end is gone, not.
        if is_deaf && self.end.is_dry() {
            return Poll::Pending;
        }
        Pin::new(&mut self.end).poll_read(cx, into)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.cable.struck() {
            Some(Kind::Fin | Kind::Reset) => {
                return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
            }
            Some(kind) if self.loses(kind) => return Poll::Ready(Ok(bytes.len())),
            Some(_) => return Pin::new(&mut self.end).poll_write(cx, bytes),
            None => {}
        }
        let length = self.cable.admit(bytes.len());
        let written = Pin::new(&mut self.end).poll_write(cx, &bytes[..length]);
        if let Poll::Ready(Ok(length)) = written {
            self.cable.wrote(length);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.end).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.cable.struck() {
            Some(kind) if self.loses(kind) => Poll::Ready(Ok(())),
            _ => Pin::new(&mut self.end).poll_shutdown(cx),
        }
    }
}
