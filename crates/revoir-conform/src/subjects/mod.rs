//! Implementations under test on real sockets.

mod client;
mod handout;
mod server;
mod walk;

pub use client::ClientUnderTest;
pub use server::ServerUnderTest;

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::adapter::START_LIMIT;

/// Whether an address is this machine's own.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// From being told where to connect to being connected.
const TO_CONNECT: Duration = Duration::from_secs(20);

/// Waits for a connection that can be expected by now.
async fn within_limit<T>(connecting: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    within(TO_CONNECT, "connect", connecting).await
}

/// Waits until an adapter has been told what to do, and has been started before if it was not running.
async fn within_a_start<T>(telling: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    within(
        START_LIMIT + TO_CONNECT,
        "listen to what it has to do",
        telling,
    )
    .await
}

async fn within<T>(
    limit: Duration,
    what: &str,
    doing: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    match tokio::time::timeout(limit, doing).await {
        Ok(done) => done,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("it did not {what} within {} s", limit.as_secs()),
        )),
    }
}
