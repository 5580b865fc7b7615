//! One case between our library and a peer.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use revoir::handshake::DeflateConfig;
use revoir::handshake::Extensions;
use revoir::{Client, Ending, Reason, Role, SendCode, WebSocket};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::case::{By, Case, End};
use crate::facts::{self, Facts};
use crate::peer::{Commanded, Peer};
use crate::tap::Tap;

/// More than our closing budget and the peers' together.
const LIMIT: Duration = Duration::from_secs(30);

/// What both sides say of an ending.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) ours: Facts,
    pub(crate) peer: Facts,
}

/// Our end of an open connection.
#[derive(Debug)]
pub(crate) struct Near {
    socket: WebSocket,
    tap: Tap,
}

/// Opens a connection, plays the case, and returns what both sides say of its end.
pub(crate) async fn play<C: Commanded>(
    case: &Case,
    role: Role,
    peer: &mut Peer<C>,
) -> anyhow::Result<Outcome> {
    let playing = async {
        let mut near = open(case.deflate, role, peer).await?;
        case.talk.play(&mut near.socket).await?;
        case.talk.check_bytes(&near.tap, case.deflate)?;
        near.end(case.end)?;
        peer.end(case.end).await?;
        let ending = near.ended().await?;
        let ours = facts::of_ending(&ending);
        let peer = peer.closed().await?;
        Ok(Outcome { ours, peer })
    };
    timeout(LIMIT, playing).await.context("took too long")?
}

/// Opens a connection, with compression or without.
pub(crate) async fn open<C: Commanded>(
    deflate: bool,
    role: Role,
    peer: &mut Peer<C>,
) -> anyhow::Result<Near> {
    let (near, extensions) = match role {
        Role::Client => connect(deflate, peer).await?,
        Role::Server => accept(deflate, peer).await?,
    };
    let agreed = extensions.starts_with("permessage-deflate");
    if agreed != deflate {
        bail!("compression {deflate}: the peer has {extensions:?}");
    }
    Ok(near)
}

/// We are the client.
async fn connect<C: Commanded>(
    deflate: bool,
    peer: &mut Peer<C>,
) -> anyhow::Result<(Near, String)> {
    let port = peer.listen(deflate).await?;
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let (tap, tapped) = Tap::new(stream);
    let url = format!("ws://127.0.0.1:{port}/");
    let client = Client::new().with_extensions(extensions(deflate));
    let socket = client.connect_over(&url, tapped).await?;
    Ok((Near { socket, tap }, peer.accepted().await?))
}

/// We are the server.
async fn accept<C: Commanded>(deflate: bool, peer: &mut Peer<C>) -> anyhow::Result<(Near, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("ws://{}/", listener.local_addr()?);
    let acceptor = peer.acceptor(deflate);
    let taking = async {
        let (stream, _) = listener.accept().await?;
        let (tap, tapped) = Tap::new(stream);
        let socket = acceptor.accept(tapped).await?;
        Ok(Near { socket, tap })
    };
    tokio::try_join!(taking, peer.connect(&url, deflate))
}

pub(crate) fn extensions(deflate: bool) -> Extensions {
    if deflate {
        Extensions::with_deflate(DeflateConfig::default())
    } else {
        Extensions::default()
    }
}

impl Near {
    /// Ends the connection, if that is for us to do.
    fn end(&self, end: End) -> anyhow::Result<()> {
        match end {
            End::Close {
                by: By::Us,
                code,
                reason,
            } => {
                // It takes effect at the call; the ending is waited for elsewhere.
                drop(
                    self.socket
                        .close(SendCode::try_from(code)?, Reason::new(reason)?),
                );
                Ok(())
            }
            End::Empty { by: By::Us } => self.tap.close(self.socket.role(), None),
            End::PastLibrary { code, .. } => self.tap.close(self.socket.role(), Some(code)),
            End::Fin { by: By::Us } => self.tap.fin(),
            End::Reset { by: By::Us } => self.tap.reset(),
            End::Close { by: By::Peer, .. }
            | End::Empty { by: By::Peer }
            | End::Fin { by: By::Peer }
            | End::Reset { by: By::Peer } => Ok(()),
        }
    }

    /// Pings, and closes as a server does that goes away. Fails unless both are answered.
    pub(crate) async fn ping_and_go_away(mut self) -> anyhow::Result<Arc<Ending>> {
        // Masked, with a payload of one byte, and of a code.
        const PONG: usize = 2 + 4 + 1;
        const CLOSE: usize = 2 + 4 + 2;
        let tap = self.tap.clone();
        let before = tap.read();
        self.socket.ping(b"?")?;
        drop(self.socket.close(SendCode::GOING_AWAY, Reason::EMPTY));
        let ending = self.ended().await?;
        let bytes = tap.read() - before;
        if bytes != PONG + CLOSE {
            bail!("{bytes} bytes came, not those of a pong and a Close frame");
        }
        Ok(ending)
    }

    /// Receives to the end.
    pub(crate) async fn ended(mut self) -> anyhow::Result<Arc<Ending>> {
        match self.socket.recv().await {
            Ok(message) => bail!("{} bytes more than expected", message.as_bytes().len()),
            Err(ending) => Ok(ending),
        }
    }
}
