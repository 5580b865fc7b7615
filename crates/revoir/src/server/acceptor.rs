//! [`Acceptor`]: what a server agrees to.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use revoir_proto::extension::Extensions;
use revoir_proto::handshake::{HeadLimits, Origins, ServerConfig};
use revoir_proto::{Config, Ending};
use tokio::io::{AsyncRead, AsyncWrite};
use tracing::Instrument;

use crate::below::Shown;
use crate::drain::{NoPlace, Places, Tracker};
use crate::driver::{Driver, Home, Shared};
use crate::observer::{ConnectionInfo, Observer};
use crate::server::admission::Admission;
use crate::server::handshake::{Limit, read_request, refuse};
use crate::server::incoming::Incoming;
use crate::server::refusal::Refusal;
use crate::server::settings::Settings;
use crate::server::visit::{Visit, nameless};
use crate::server::waiting::Waiting;
use crate::span;
use crate::websocket::WebSocket;

/// How long an opening handshake may take, TLS included, unless told otherwise.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Takes a connection over `stream` with the defaults of [`Acceptor`].
///
/// # Errors
///
/// As for [`Acceptor::accept`].
///
/// # Cancel safety
///
/// Dropping the future gives the attempt up; a connection is either returned or gone.
pub async fn accept<S>(stream: S) -> Result<WebSocket, Arc<Ending>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Acceptor::new().accept(stream).await
}

/// Takes connections over any stream. Clones are cheap.
///
/// A page of another host is refused with 403, unless its origin is allowed: otherwise any page
/// that a user visits could connect with the user's cookies.
#[derive(Clone, Debug)]
pub struct Acceptor {
    settings: Arc<Settings>,
}

impl Acceptor {
    /// An acceptor with the defaults that the [crate's front page](crate#limits) lists: no
    /// subprotocol, no compression, pages of the same host only.
    #[must_use]
    pub fn new() -> Self {
        let tracker = Tracker::new();
        let home = Home {
            observer: None,
            tracker: Some(tracker.clone()),
        };
        // Origins are checked beside the host that was asked for.
        let mut any_origin = ServerConfig::default();
        any_origin.origins = Origins::Any;
        let settings = Settings {
            handshake: Arc::new(any_origin),
            origins: Origins::default(),
            config: Arc::new(Config::server()),
            handshake_timeout: HANDSHAKE_TIMEOUT,
            home: Arc::new(home),
            tracker,
            places: Places {
                in_total: usize::MAX,
                per_address: usize::MAX,
            },
            admission: None,
            max_age: None,
        };
        Self {
            settings: Arc::new(settings),
        }
    }

    /// Lets pages of these origins in, beside those of the same host; [`Origins::Any`] lets in
    /// all.
    #[must_use]
    pub fn with_origins(mut self, origins: Origins) -> Self {
        self.settings_mut().origins = origins;
        self
    }

    /// Speaks these subprotocols, by preference.
    #[must_use]
    pub fn with_subprotocols(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.handshake_mut().subprotocols = names.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts offers of these extensions. Default: none, because compression costs memory per
    /// connection.
    #[must_use]
    pub fn with_extensions(mut self, extensions: Extensions) -> Self {
        self.handshake_mut().extensions = extensions;
        self
    }

    /// Limits, keepalive and deadlines of open connections.
    /// Default: [`Config::server`].
    #[must_use]
    pub fn with_config(mut self, config: Config) -> Self {
        self.settings_mut().config = Arc::new(config);
        self
    }

    /// Limits on the head of a request. Default: 16 KiB and 100 fields.
    #[must_use]
    pub fn with_head_limits(mut self, limits: HeadLimits) -> Self {
        self.handshake_mut().limits = limits;
        self
    }

    /// How long TLS and the opening handshake may take together. Default: 10 s.
    #[must_use]
    pub fn with_handshake_timeout(mut self, limit: Duration) -> Self {
        self.settings_mut().handshake_timeout = limit;
        self
    }

    /// Tells `observer` of every opening and every ending.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.home_mut().observer = Some(observer);
        self
    }

    /// Has `tracker` know the connections, for acceptors that are drained together. Default: one
    /// of its own, which clones share.
    #[must_use]
    pub fn with_tracker(mut self, tracker: &Tracker) -> Self {
        self.settings_mut().tracker = tracker.clone();
        self.home_mut().tracker = Some(tracker.clone());
        self
    }

    /// How many connections the tracker may have at once, those in their handshake included. More
    /// are refused with 503 and a Retry-After of a few seconds. Default: no limit.
    #[must_use]
    pub fn with_max_connections(mut self, limit: usize) -> Self {
        self.settings_mut().places.in_total = limit;
        self
    }

    /// How many connections one IP address may have at once, those in their handshake included.
    /// More are refused with 429 and a Retry-After of a few seconds. Default: no limit.
    ///
    /// Behind a proxy all connections come from its address, and over a stream there is none.
    #[must_use]
    pub fn with_max_connections_per_ip(mut self, limit: usize) -> Self {
        self.settings_mut().places.per_address = limit;
        self
    }

    /// Lets in so many requests per second; the others are refused with 503 and a Retry-After of
    /// their own. Default: all.
    #[must_use]
    pub fn with_admission(mut self, admission: Admission) -> Self {
        self.settings_mut().admission = Some(admission);
        self
    }

    /// Closes connections that reach this age, 20 % more or less, with 1012 and a slot within about
    /// a second; their cause is [`Drained`](revoir_proto::Cause::Drained). So clients move to a
    /// newer server, or spread over more of them, and the code that restarts is in use all day.
    /// Default: no limit. With one, a connection costs a small task more.
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.settings_mut().max_age = Some(age);
        self
    }

    /// Knows the connections that this acceptor and its clones have opened, and drains them.
    #[must_use]
    pub fn tracker(&self) -> &Tracker {
        &self.settings.tracker
    }

    /// Takes a connection over `stream`. It spawns one small task, which keeps the connection; see
    /// the [crate's front page](crate#what-drives-a-connection).
    ///
    /// # Errors
    ///
    /// The [`Ending`] of a connection that never opened. A client that can still read one has got
    /// an HTTP answer that names the broken rule.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up; a connection is either returned or gone.
    pub async fn accept<S>(&self, stream: S) -> Result<WebSocket, Arc<Ending>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let socket = Box::pin(self.open(stream)).await?;
        tokio::spawn(Driver::new(Arc::clone(&socket)));
        Ok(WebSocket::new(socket))
    }

    /// Reads a request over `stream`, has `decide` decide on it, and writes the answer; for
    /// listeners of your own. [`Server::serve_incoming`](crate::Server::serve_incoming) does the same
    /// with TCP.
    ///
    /// Returns as soon as the handler of [`Incoming::run`] is on its way. A panic of `decide` is
    /// answered with 500.
    ///
    /// # Errors
    ///
    /// As for [`accept`](Self::accept); the ending of a refusal comes once the client has read the
    /// answer, or 2 s have passed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the attempt up.
    pub async fn accept_incoming<S, D, F, B>(&self, stream: S, decide: D) -> Result<(), Arc<Ending>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        D: FnOnce(Incoming) -> F,
        F: Future<Output = Response<B>>,
        B: Into<Bytes>,
    {
        let waiting = Box::pin(self.admit_and_read(stream)).await?;
        Box::pin(waiting.decide(decide)).await
    }

    async fn open<S>(&self, stream: S) -> Result<Shared, Arc<Ending>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.admit_and_read(stream).await?.open().await
    }

    async fn admit_and_read<S>(&self, mut stream: S) -> Result<Waiting, Arc<Ending>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match self.admit(None) {
            Ok(visit) => {
                let span = visit.span.clone();
                let reading = self.read(stream, self.limit(), visit);
                reading.instrument(span).await
            }
            Err(refusal) => {
                let conn = nameless(span::next_id(), None);
                Err(self.turn_away(&mut stream, refusal, &conn).await)
            }
        }
    }

    /// A place for a client, or why there is none.
    pub(super) fn admit(&self, peer: Option<SocketAddr>) -> Result<Visit, Refusal> {
        let address = peer.map(|peer| peer.ip());
        let settings = &*self.settings;
        let registry = &settings.tracker.registry;
        let seat = registry.seat(settings.places, address)?;
        if let Some(admission) = &settings.admission {
            admission.admit().map_err(NoPlace::TooFast)?;
        }
        let id = span::next_id();
        let span = span::of_server(id, peer);
        Ok(Visit {
            id,
            peer,
            shown: None,
            seat,
            span,
        })
    }

    /// Tells a client that there is no place for it.
    pub(super) async fn turn_away<S>(
        &self,
        stream: &mut S,
        refusal: Refusal,
        conn: &ConnectionInfo<'_>,
    ) -> Arc<Ending>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (headers, body) = (refusal.headers(), refusal.body.as_bytes());
        let ending = refuse(stream, refusal.status, &headers, body).await;
        self.settings.announce(conn, ending)
    }

    /// Reads the request of a client that has a place.
    pub(super) async fn read<S>(
        &self,
        mut stream: S,
        limit: Limit,
        mut visit: Visit,
    ) -> Result<Waiting, Arc<Ending>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Settings {
            handshake, origins, ..
        } = &*self.settings;
        visit.shown = Shown::on(&stream);
        let registry = &self.settings.tracker.registry;
        let read = tokio::select! {
            biased;
            read = read_request(&mut stream, handshake, origins, limit) => Ok(read),
            wait = registry.requests_over() => Err(wait),
        };
        match read {
            Ok(Ok((request, uri, input))) => Ok(Waiting {
                stream: Box::new(stream),
                request,
                uri,
                input,
                settings: Arc::clone(&self.settings),
                limit,
                visit,
            }),
            Ok(Err(ending)) => Err(self.settings.announce(&visit.info(), ending)),
            Err(wait) => {
                let refusal = Refusal::from(NoPlace::Draining(wait));
                Err(self.turn_away(&mut stream, refusal, &visit.info()).await)
            }
        }
    }

    pub(super) fn limit(&self) -> Limit {
        Limit::new(self.settings.handshake_timeout)
    }

    pub(super) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    #[cfg(feature = "rustls")]
    pub(super) fn announce(&self, conn: &ConnectionInfo<'_>, ending: Ending) -> Arc<Ending> {
        self.settings.announce(conn, ending)
    }

    fn settings_mut(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }

    fn home_mut(&mut self) -> &mut Home {
        Arc::make_mut(&mut self.settings_mut().home)
    }

    fn handshake_mut(&mut self) -> &mut ServerConfig {
        Arc::make_mut(&mut self.settings_mut().handshake)
    }
}

impl Default for Acceptor {
    fn default() -> Self {
        Self::new()
    }
}
