//! The loop over a stack that is a `Stream` and a `Sink`.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use anyhow::{Context as _, Error, Result};
use futures_core::Stream;
use futures_sink::Sink;

use crate::wire::block_on;

/// Sends every message back, and flushes when nothing more is there.
pub(super) fn pump<S, M, E>(
    socket: &mut S,
    count: usize,
    observe: impl Fn(&M) -> Result<()>,
) -> Result<()>
where
    S: Stream<Item = Result<M, E>> + Sink<M, Error = E> + Unpin,
    E: Into<Error>,
{
    let mut left = count;
    block_on(poll_fn(|cx| {
        while left > 0 {
            let Poll::Ready(message) = Pin::new(&mut *socket).poll_next(cx) else {
                ready!(flush(socket, cx))?;
                return Poll::Pending;
            };
            let message = message.context("the stream ended")?.map_err(Into::into)?;
            observe(&message)?;
            ready!(Pin::new(&mut *socket).poll_ready(cx)).map_err(Into::into)?;
            Pin::new(&mut *socket)
                .start_send(message)
                .map_err(Into::into)?;
            left -= 1;
        }
        flush(socket, cx)
    }))
}

fn flush<S, M, E>(socket: &mut S, cx: &mut Context<'_>) -> Poll<Result<()>>
where
    S: Sink<M, Error = E> + Unpin,
    E: Into<Error>,
{
    Pin::new(socket).poll_flush(cx).map_err(Into::into)
}
