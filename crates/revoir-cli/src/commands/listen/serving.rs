//! The network side of `listen`.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use revoir::drain::{Drain, DrainReport};
use revoir::http::{HeaderName, HeaderValue, Response};
use revoir::session::{self, Principal, SessionEnding};
use revoir::{Acceptor, Incoming, Server};
use revoir_codes::catalog::Locale;

use super::connections::{Connections, Manner, NeverOpened};
use crate::args::ListenArgs;
use crate::commands::certificate::CertificateFiles;
use crate::commands::network::unavailable;
use crate::events::{Events, Listening, What};
use crate::exit::{Exit, Failure};
use crate::signals::{Hangups, Signals};

/// The header field in which a backend tells a gateway whether its clients may be held.
const HOLD: HeaderName = HeaderName::from_static("revoir-hold");

/// The time that is left after a second signal.
const HURRY: Duration = Duration::from_millis(500);

/// A server, from the listening socket to the last ending.
#[derive(Debug)]
pub(super) struct Serving {
    args: ListenArgs,
    acceptor: Acceptor,
    certificate: Option<CertificateFiles>,
    events: Events,
}

impl Serving {
    pub(super) fn new(
        args: ListenArgs,
        acceptor: Acceptor,
        certificate: Option<CertificateFiles>,
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
        let report = self
            .serve(server, &connections, &mut signals, &mut hangups)
            .await;
        tokio::select! {
            () = connections.over() => {}
            () = signals.next() => match signals.give_up() {},
        }
        let _ = self.events.tell(None, What::Drained(report)).await;
        Ok(if report.is_complete() {
            Exit::Done
        } else {
            Exit::Failure
        })
    }

    /// Takes connections until all are over. Then nobody can come back to a session: those that are left are over too.
    async fn serve(
        &self,
        server: Server,
        connections: &Arc<Connections>,
        signals: &mut Signals,
        hangups: &mut Hangups,
    ) -> DrainReport {
        let tracker = server.tracker().clone();
        let handle = {
            let connections = Arc::clone(connections);
            let sessions = self.args.session.then(|| self.sessions());
            move |incoming| handle(incoming, Arc::clone(&connections), sessions.clone())
        };
        let mut serving = pin!(server.serve_incoming(handle));
        loop {
            let is_stopping = tracker.is_draining();
            tokio::select! {
                report = &mut serving => return report,
                () = hangups.next() => self.reload().await,
                () = signals.next() => drop(tracker.drain(self.plan(is_stopping))),
                () = self.events.unheard(), if !is_stopping => {
                    drop(tracker.drain(self.plan(false)));
                }
            }
        }
    }

    /// Whoever has the token of a session has it: this is for debugging.
    fn sessions(&self) -> session::Server {
        let names = self.args.subprotocol.iter();
        names.fold(session::Server::new(|_| Principal::NONE), |server, name| {
            server.with_subprotocol(name)
        })
    }

    /// How to stop; `again`: it was asked to before.
    fn plan(&self, again: bool) -> Drain {
        let plan = if self.args.restart {
            Drain::restart()
        } else {
            Drain::going_away()
        };
        plan.within(match again {
            true => self.args.drain.min(HURRY),
            false => self.args.drain,
        })
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
        let note = match self.certificate.as_ref().map(CertificateFiles::reload) {
            Some(Ok(())) => "the certificate was read again".to_owned(),
            Some(Err(failure)) => failure
                .message(false, Locale::english())
                .trim_end()
                .to_owned(),
            None => "there is nothing to reload".to_owned(),
        };
        let _ = self.events.tell(None, What::Note(note)).await;
    }
}

async fn handle(
    mut incoming: Incoming,
    connections: Arc<Connections>,
    sessions: Option<session::Server>,
) -> Response<String> {
    if let Some(sessions) = sessions.filter(|_| session::Server::is_offered(&incoming)) {
        let handler = |session| async move {
            connections.handle_session(session).await;
            Ok::<(), Arc<SessionEnding>>(())
        };
        return sessions.run(incoming, handler);
    }
    let peer = incoming.peer_addr();
    let peer = peer.map_or_else(String::new, |address| address.to_string());
    // Every message stands alone here: a gateway may put the client on another connection.
    let fields = incoming.response_headers_mut();
    fields.insert(HOLD, HeaderValue::from_static("yes"));
    let handler = |socket| async move {
        connections.handle(socket, peer).await;
        Ok::<(), Arc<revoir::Ending>>(())
    };
    incoming.run(handler)
}

fn cannot_listen(address: &str, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::InvalidInput {
        let problem = "expected an address and a port, such as 127.0.0.1:9000";
        return Failure::usage(
            "listen",
            &format!("invalid value '{address}' for '[ADDR]': {problem}"),
        );
    }
    let problem = format!("cannot listen on {address}: {error}");
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there; port 0 picks a free one",
        io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege; choose another one",
        io::ErrorKind::AddrNotAvailable => "the address has to be one of this machine's",
        _ => "use an address of this machine and a port, such as 127.0.0.1:9000",
    };
    Failure::Impossible {
        problem,
        hint: hint.to_owned(),
    }
}
