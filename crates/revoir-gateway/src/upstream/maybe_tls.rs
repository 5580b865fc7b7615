//! [`MaybeTls`]: a socket, or TLS over it.

use std::io;

use hyper_util::client::legacy::connect::{Connected, Connection};
use revoir::tls::ClientTls;
use revoir::tls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::{TlsConnector, TlsStream};

use crate::net::{Socket, delegate_io};
use crate::upstream::kept::Kept;
use crate::upstream::target::{Place, Target};

/// A connection to a client or to a backend.
#[derive(Debug)]
pub enum MaybeTls {
    /// Plain.
    Plain(Socket),
    /// TLS over it.
    Tls(Box<TlsStream<Socket>>),
}

impl MaybeTls {
    /// Ends TCP with a reset, below TLS if that is there. A Unix socket just ends.
    pub fn reset(self) -> io::Result<()> {
        match &self {
            Self::Plain(stream) => stream.set_zero_linger(),
            Self::Tls(stream) => stream.get_ref().0.set_zero_linger(),
        }
    }

    /// The certificate that the other side has shown and that was verified.
    pub(crate) fn peer_certificate(&self) -> Option<&CertificateDer<'static>> {
        let Self::Tls(stream) = self else {
            return None;
        };
        let (_, session) = stream.get_ref();
        session.peer_certificates()?.first()
    }

    /// Speaks to `target` over `socket`, with `tls` if that is given.
    pub(super) async fn over(
        socket: Socket,
        target: &Target,
        tls: Option<&ClientTls>,
    ) -> io::Result<Self> {
        let (Some(tls), Place::Host { host, .. }) = (tls, &target.place) else {
            return Ok(Self::Plain(socket));
        };
        let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(tls.config());
        // In a box, so that the future of a plain connection has no room for TLS.
        let stream = Box::pin(connector.connect(name, socket)).await?;
        Ok(Self::Tls(Box::new(stream.into())))
    }
}

delegate_io!(MaybeTls: Plain, Tls);

/// For plain requests to a backend.
impl Connection for MaybeTls {
    fn connected(&self) -> Connected {
        Connected::new().extra(Kept::default())
    }
}
