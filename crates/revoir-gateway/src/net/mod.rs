//! Sockets of either family, TCP and Unix, and who is at their other end.

mod delegate;
mod listen_address;
mod listener;
mod peer;
mod peers;
mod socket;
mod subscriber;
#[cfg(unix)]
mod unix_socket;

pub(crate) use delegate::delegate_io;
pub use listen_address::{InvalidListenAddr, ListenAddr};
pub use listener::Listener;
pub use peer::Peer;
pub use peers::Peers;
pub use socket::Socket;
pub(crate) use subscriber::subscriber;
#[cfg(unix)]
pub use unix_socket::UnixSocket;
