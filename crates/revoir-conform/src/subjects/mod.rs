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

/// Whether an address is this machine's own.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// From being told where to connect to being connected.
const TO_CONNECT: Duration = Duration::from_secs(20);

/// Waits for a connection that can be expected by now.
async fn within_limit<T>(connecting: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(TO_CONNECT, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("it did not connect within {} s", TO_CONNECT.as_secs()),
        )),
    }
}
