//! The reference peer: small, right, and broken in one way on request.
//!
//! It shares nothing with the suite but the words of its events, so that a mistake in one does not
//! hide in the other. A *mutant* is one word or sentence; where the peer would do what that one breaks,
//! it asks [`Switch::is`].

mod frames;
mod link;
mod opening;
mod talk;

use std::sync::Arc;

use revoir_conform::{BoxTransport, Event, Told};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use link::{Link, Stream};

/// How the peer is broken: not at all, or in one way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Switch(String);

impl Switch {
    pub(crate) fn new(mutant: &str) -> Self {
        Self(mutant.to_owned())
    }

    pub(super) fn is(&self, mutant: &str) -> bool {
        self.0 == mutant
    }

    /// The number behind the words.
    pub(super) fn number(&self, words: &str) -> Option<u64> {
        self.0.strip_prefix(words)?.trim().parse().ok()
    }
}

/// What a peer is told.
#[derive(Clone, Debug)]
pub(crate) struct Mouth {
    pub(super) told: Arc<Told>,
    pub(super) at: String,
}

impl Mouth {
    pub(crate) fn new(told: Arc<Told>, at: &str) -> Self {
        let at = at.to_owned();
        Self { told, at }
    }

    pub(super) fn say(&self, event: &str, fill: impl FnOnce(&mut Event)) {
        let mut said = Event::new(event, &self.at);
        fill(&mut said);
        self.told.tell(said);
    }
}

/// TLS of the peer.
#[derive(Clone)]
pub(crate) enum PeerTls {
    Accepts(TlsAcceptor),
    Connects(TlsConnector),
}

/// One connection of a peer, to its end.
pub(crate) async fn run(
    transport: BoxTransport,
    is_server: bool,
    tls: Option<PeerTls>,
    switch: Switch,
    mouth: Mouth,
) {
    if switch.is("tell opened early") {
        mouth.say("opened", |_| {});
    }
    let stream: Stream = match tls {
        None => Box::new(transport),
        Some(PeerTls::Accepts(tls)) => match tls.accept(transport).into_fallible().await {
            Ok(stream) => Box::new(stream),
            Err((_, transport)) => {
                return never_opened(transport, is_server, &switch, &mouth).await;
            }
        },
        Some(PeerTls::Connects(tls)) => {
            let name = ServerName::try_from("localhost").expect("a name");
            match tls.connect(name, transport).into_fallible().await {
                Ok(stream) => Box::new(stream),
                Err((_, transport)) => {
                    return never_opened(transport, is_server, &switch, &mouth).await;
                }
            }
        }
    };
    let mut link = Link::new(stream, is_server, switch, mouth);
    if link.open().await {
        link.talk().await;
    }
}

async fn never_opened(transport: BoxTransport, is_server: bool, switch: &Switch, mouth: &Mouth) {
    if !is_server && !switch.is("tell nothing") {
        mouth.say("closed", |event| {
            event.code = Some(1006);
            event.text = Some("the TLS handshake failed".to_owned());
        });
    }
    if switch.is("never end") {
        std::future::pending::<()>().await;
    }
    drop(transport);
}
