//! The network side of `listen`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use revoir::{Acceptor, Incoming, SendCode, Server};
use tokio::time::timeout;

use super::certificate::Certificate;
use super::connections::{Connections, Manner, NeverOpened};
use crate::args::ListenArgs;
use crate::commands::network::unavailable;
use crate::events::{Events, Listening, What};
use crate::exit::{Exit, Failure};
use crate::signals::{Hangups, Signals};

/// Every connection has its ending when the time to stop is over; then it is told and written.
const TELLING: Duration = Duration::from_secs(1);

/// A server, from the listening socket to the last ending.
#[derive(Debug)]
pub(super) struct Serving {
    args: ListenArgs,
    acceptor: Acceptor,
    certificate: Option<Certificate>,
    events: Events,
}

impl Serving {
    pub(super) fn new(
        args: ListenArgs,
        acceptor: Acceptor,
        certificate: Option<Certificate>,
        events: Events,
    ) -> Self {
        Self {
            args,
            acceptor,
            certificate,
            events,
        }
    }

    /// Takes connections until it is asked to stop, then ends them.
    pub(super) async fn run(self) -> Result<Exit, Failure> {
        let no_signals = |error| unavailable("signal handling", &error);
        let mut signals = Signals::new().map_err(no_signals)?;
        let mut hangups = Hangups::new().map_err(no_signals)?;
        let connections = Connections::new(
            Manner {
                echo: self.args.echo,
                close: self.args.close,
                close_after: self.args.close_after,
            },
            self.events.clone(),
        );
        let server = self.bind(&connections).await?;
        let handle = {
            let connections = Arc::clone(&connections);
            move |incoming| handle(incoming, Arc::clone(&connections))
        };
        {
            let mut serving = std::pin::pin!(server.serve_incoming(handle));
            loop {
                tokio::select! {
                    // Nobody drains its tracker.
                    _ = &mut serving => break,
                    () = hangups.next() => self.reload().await,
                    () = signals.next() => break,
                    () = self.events.unheard() => break,
                }
            }
        }
        // The listening socket is closed.
        tokio::select! {
            exit = self.stop(&connections) => Ok(exit),
            () = signals.next() => match signals.give_up() {},
        }
    }

    async fn bind(&self, connections: &Arc<Connections>) -> Result<Server, Failure> {
        let address = &self.args.address;
        let bound = Server::bind(address).await;
        let server = bound.map_err(|error| cannot_listen(address, &error))?;
        let addr = server.local_addr();
        let addr = addr.map_err(|error| cannot_listen(address, &error))?;
        let observer = NeverOpened(Arc::clone(connections));
        let acceptor = self.acceptor.clone().with_observer(Arc::new(observer));
        let mut server = server.with_acceptor(acceptor);
        if let Some(certificate) = &self.certificate {
            server = server.with_tls(certificate.tls());
        }
        let secure = self.certificate.is_some();
        let listening = What::Listening(Listening { addr, secure });
        // If nobody hears it, the server stops at once.
        let _ = self.events.tell(None, listening).await;
        Ok(server)
    }

    /// Reads the certificate again: all there is to reload.
    async fn reload(&self) {
        let note = match self.certificate.as_ref().map(Certificate::reload) {
            Some(Ok(())) => "the certificate was read again".to_owned(),
            Some(Err(failure)) => failure.message(false).trim_end().to_owned(),
            None => "there is nothing to reload".to_owned(),
        };
        let _ = self.events.tell(None, What::Note(note)).await;
    }

    async fn stop(&self, connections: &Connections) -> Exit {
        connections.stop(if self.args.restart {
            SendCode::SERVICE_RESTART
        } else {
            SendCode::GOING_AWAY
        });
        let limit = self.args.drain + TELLING;
        let in_time = timeout(limit, connections.over()).await.is_ok();
        let drained = connections.drained();
        let all_told = drained.told == drained.connections;
        let _ = self.events.tell(None, What::Drained(drained)).await;
        if in_time && all_told {
            Exit::Done
        } else {
            Exit::Failure
        }
    }
}

async fn handle(incoming: Incoming, connections: Arc<Connections>) {
    let peer = incoming.peer_addr();
    let peer = peer.map_or_else(String::new, |address| address.to_string());
    let handler = |socket| async move {
        connections.handle(socket, peer).await;
        Ok::<(), Arc<revoir::Ending>>(())
    };
    incoming.run(handler).await;
}

fn cannot_listen(address: &str, error: &io::Error) -> Failure {
    let problem = format!("cannot listen on {address}: {error}");
    let hint = match error.kind() {
        io::ErrorKind::InvalidInput => {
            let tip = "tip: an address looks like 127.0.0.1:9000";
            return Failure::usage("listen", &format!("{problem}\n\n  {tip}"));
        }
        io::ErrorKind::AddrInUse => "another program listens there; port 0 picks a free one",
        io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege; choose another one",
        io::ErrorKind::AddrNotAvailable => "the address has to be one of this machine's",
        _ => "give an address of this machine and a port, such as 127.0.0.1:9000",
    };
    Failure::Impossible {
        problem,
        hint: hint.to_owned(),
    }
}
