//! The implementation under test, as the suite reaches it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use crate::case::Role;
use crate::told::Told;
use crate::wire::{BoxTransport, Tls};

/// A future of a [`Subject`].
pub type Meeting<'a> = Pin<Box<dyn Future<Output = io::Result<BoxTransport>> + Send + 'a>>;

/// An implementation under test: a server to connect to, or a client that is told where to
/// connect.
pub trait Subject: Send + Sync {
    /// Which side it is on.
    fn role(&self) -> Role;

    /// A new stream between it and the suite, for the connection with this path. It has a limit of its own: the
    /// error is then [`TimedOut`](io::ErrorKind::TimedOut).
    fn meet<'a>(&'a self, at: &'a str) -> Meeting<'a>;

    /// The next stream of a client that connects again by itself for this path. There is none at a server.
    fn meet_again<'a>(&'a self, _at: &'a str) -> Meeting<'a> {
        Box::pin(std::future::pending())
    }

    /// The connection with this path is over: no client is met again there.
    fn part(&self, _at: &str) {}

    /// TLS above the stream.
    fn tls(&self) -> Option<Tls> {
        None
    }

    /// What its application is told, if an adapter says it.
    fn told(&self) -> Option<Arc<Told>> {
        None
    }

    /// `Host` of requests to it.
    fn host(&self) -> String {
        "localhost".to_owned()
    }

    /// The path of requests to it.
    fn path(&self, at: &str) -> String {
        at.to_owned()
    }

    /// How often its process has died so far.
    fn deaths(&self) -> usize {
        0
    }
}
