//! The loop over a stack that can be polled: it collects while messages are there, which is the
//! fastest way to use one.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use anyhow::{Error, Result};
use futures_core::Stream;
use futures_sink::Sink;

/// The next message of a socket that is a `Stream`.
pub(super) fn next<S, M, E>(socket: &mut S, cx: &mut Context<'_>) -> Poll<Option<Result<M>>>
where
    S: Stream<Item = Result<M, E>> + Unpin,
    E: Into<Error>,
{
    Pin::new(socket)
        .poll_next(cx)
        .map(|item| item.map(|message| message.map_err(Into::into)))
}

/// Sends back every message that `is_data`, and flushes when nothing more is there.
pub(super) async fn pump<S, M>(
    mut socket: S,
    next: impl Fn(&mut S, &mut Context<'_>) -> Poll<Option<Result<M>>>,
    is_data: impl Fn(&M) -> bool,
) -> Result<()>
where
    S: Sink<M, Error: Into<Error>> + Unpin,
{
    let mut held = None;
    poll_fn(|cx| {
        loop {
            if held.is_some() {
                ready!(Pin::new(&mut socket).poll_ready(cx)).map_err(Into::into)?;
                if let Some(message) = held.take() {
                    Pin::new(&mut socket)
                        .start_send(message)
                        .map_err(Into::into)?;
                }
            }
            match next(&mut socket, cx) {
                Poll::Ready(Some(message)) => held = Some(message?).filter(&is_data),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    ready!(Pin::new(&mut socket).poll_flush(cx)).map_err(Into::into)?;
                    return Poll::Pending;
                }
            }
        }
    })
    .await
}
