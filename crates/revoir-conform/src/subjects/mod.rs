//! Implementations under test on real sockets.

mod client;
mod server;
mod walk;

pub use client::ClientUnderTest;
pub use server::ServerUnderTest;

use std::net::IpAddr;

/// Whether an address is this machine's own.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
