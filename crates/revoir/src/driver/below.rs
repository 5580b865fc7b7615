//! What lies below a connection, where it is TCP: addresses, and what TLS knows.

use std::any::Any;

use tokio::net::TcpStream;
#[cfg(feature = "rustls")]
use tokio_rustls::{client, rustls, server};

/// The TCP socket of a transport.
pub(crate) fn tcp(stream: &dyn Any) -> Option<&TcpStream> {
    #[cfg(feature = "rustls")]
    {
        if let Some(stream) = stream.downcast_ref::<server::TlsStream<TcpStream>>() {
            return Some(stream.get_ref().0);
        }
        if let Some(stream) = stream.downcast_ref::<client::TlsStream<TcpStream>>() {
            return Some(stream.get_ref().0);
        }
    }
    stream.downcast_ref()
}

/// What TLS knows, at either side.
#[cfg(feature = "rustls")]
pub(crate) fn tls(stream: &dyn Any) -> Option<&rustls::CommonState> {
    if let Some(stream) = stream.downcast_ref::<server::TlsStream<TcpStream>>() {
        return Some(stream.get_ref().1);
    }
    let stream = stream.downcast_ref::<client::TlsStream<TcpStream>>()?;
    Some(stream.get_ref().1)
}

/// The name that a client asked for (SNI).
#[cfg(feature = "rustls")]
pub(crate) fn server_name(stream: &dyn Any) -> Option<&str> {
    let stream = stream.downcast_ref::<server::TlsStream<TcpStream>>()?;
    stream.get_ref().1.server_name()
}
