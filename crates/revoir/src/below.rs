//! What lies below a connection, where it is TCP: addresses, and what TLS knows.

use std::any::Any;
#[cfg(feature = "rustls")]
use std::sync::Arc;

use tokio::net::TcpStream;
#[cfg(feature = "rustls")]
use tokio_rustls::{client, rustls, rustls::pki_types::CertificateDer, server};

/// What the other side has shown in TLS.
#[cfg(feature = "rustls")]
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Its own first.
    pub(crate) certificates: Option<Box<[CertificateDer<'static>]>>,
    /// The name that a client has asked for (SNI).
    pub(crate) server_name: Option<Box<str>>,
}

/// There is no TLS.
#[cfg(not(feature = "rustls"))]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shown {}

#[cfg(feature = "rustls")]
impl Shown {
    /// `None` without TLS, and where the other side has shown nothing.
    pub(crate) fn on(stream: &dyn Any) -> Option<Arc<Self>> {
        let certificates = tls(stream)?.peer_certificates().map(Box::from);
        let server_name = server_name(stream).map(Box::from);
        (certificates.is_some() || server_name.is_some()).then(|| {
            Arc::new(Self {
                certificates,
                server_name,
            })
        })
    }
}

#[cfg(not(feature = "rustls"))]
impl Shown {
    pub(crate) fn on(_stream: &dyn Any) -> Option<std::sync::Arc<Self>> {
        None
    }
}

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
