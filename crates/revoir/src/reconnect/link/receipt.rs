//! [`Receipt`]: what became of one message.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use tokio::sync::oneshot;

/// A message that a [`Link`](crate::Link) has accepted, and the way to learn its fate. It may be
/// dropped: the message goes its way all the same.
#[derive(Debug)]
pub struct Receipt {
    number: u64,
    fate: Fate,
}

#[derive(Debug)]
enum Fate {
    Open(oneshot::Receiver<()>),
    Known(Result<(), NotWritten>),
}

impl Receipt {
    pub(super) fn new(number: u64, written: oneshot::Receiver<()>) -> Self {
        Self {
            number,
            fate: Fate::Open(written),
        }
    }

    /// The number of the message among all that the link has accepted, from 0. Events name messages
    /// by it: `in_doubt` is a range of numbers, and each [`Unsent`](crate::reconnect::Unsent) has one.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Waits until the message was handed, to its last byte, to the operating system, or to the
    /// stream that the connection runs over. While it is kept for another connection, this goes on
    /// waiting.
    ///
    /// That is not yet the peer's word for it. If the connection then ends, the number is in the
    /// event's `in_doubt`.
    ///
    /// # Errors
    ///
    /// [`NotWritten`]: it will never be. An event returns the message, or the link was dropped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing; call it again.
    pub fn written(&mut self) -> impl Future<Output = Result<(), NotWritten>> {
        poll_fn(|cx| {
            let known = match &mut self.fate {
                Fate::Known(known) => return Poll::Ready(*known),
                Fate::Open(written) => match Pin::new(written).poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(written) => written.map_err(|_| NotWritten),
                },
            };
            self.fate = Fate::Known(known);
            Poll::Ready(known)
        })
    }
}

/// A message that was accepted, and will not leave: an event returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotWritten;

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("message not written: the link returns it unsent")
    }
}

impl Error for NotWritten {}
