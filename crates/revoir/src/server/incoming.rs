//! [`Incoming`]: a request that waits for a decision.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::BytesMut;
use http::{Extensions, HeaderMap, Response, StatusCode, Uri};
use revoir_proto::extension::AgreedExtensions;
use revoir_proto::handshake::{Headers, InvalidResponse, Request};
use revoir_proto::{Cause, Detail, Ending};
use tokio::sync::oneshot;
use tokio::time::timeout_at;
#[cfg(feature = "rustls")]
use tokio_rustls::rustls::pki_types::CertificateDer;
use tracing::{Instrument, Span};

use crate::below::Shown;
use crate::drain::{NoPlace, Seat};
use crate::driver::{Failure, Known};
use crate::observer::ConnectionInfo;
use crate::server::answer;
use crate::server::handshake::Limit;
use crate::server::opening::{Begin, Stream, spawn};
use crate::server::refusal::Refusal;
use crate::server::settings::Settings;
use crate::server::visit::nameless;
use crate::websocket::WebSocket;

/// A request for a connection that keeps to the rules, for the application to decide on.
///
/// The decision is a response: [`run`](Self::run) makes the one that opens the connection, and says
/// which handler it is for; any other response refuses, one of [`refuse`](Self::refuse) for example.
/// It is the same under
///
/// - [`Server::serve_incoming`](crate::Server::serve_incoming) and
///   [`Acceptor::accept_incoming`](crate::Acceptor::accept_incoming), for TCP and any other stream,
///   where the decision returns a `Response<B>` with a body that becomes [`Bytes`](bytes::Bytes);
/// - axum (feature `axum`), as an extractor. The handler of the route may return anything that is
///   `IntoResponse`;
/// - hyper (feature `hyper`), by [`from_hyper`](Self::from_hyper), and any other HTTP server by
///   [`from_http`](Self::from_http).
///
/// Dropped without a decision, it never opens: its ending, `handshake-rejected`, goes to the observer
/// and the log.
///
/// The request is gone once the connection is open: a handler takes along what it needs.
#[doc(alias = "WebSocketUpgrade")]
#[doc(alias = "Upgrade")]
pub struct Incoming {
    /// Until there is a decision.
    undecided: Option<Undecided>,
}

/// A request and where it came from.
pub(super) struct Undecided {
    pub(super) request: Request,
    pub(super) uri: Uri,
    /// The fields of the request, once somebody asks for them.
    pub(super) headers: OnceLock<HeaderMap>,
    /// Fields to add to the answer that opens.
    pub(super) answer: HeaderMap,
    pub(super) settings: Arc<Settings>,
    pub(super) known: Known,
    pub(super) span: Span,
    pub(super) host: Host,
}

/// Who writes the answer.
pub(super) enum Host {
    /// This crate, which takes the decision from here.
    Stream(oneshot::Sender<Answered>),
    /// Another HTTP server, which hands the stream over then.
    HttpServer { upgraded: Upgraded, seat: Seat },
}

/// The stream of an HTTP server, once its answer is written. Behind a lock for `Sync` alone.
pub(super) type Upgraded = Mutex<Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>>;

/// What became of an [`Incoming`] over a stream.
pub(super) enum Answered {
    Open {
        /// The answer as it is written.
        head: Vec<u8>,
        /// Its fields, to see whether somebody has changed them since.
        fields: HeaderMap,
        begin: Begin,
    },
    Refused {
        detail: String,
        /// With the application's notes.
        known: Known,
    },
}

impl Incoming {
    pub(super) fn new(undecided: Undecided) -> Self {
        let undecided = Some(undecided);
        Self { undecided }
    }

    /// The target of the request: path and query, and the rest if the client sent it.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.undecided().uri
    }

    /// The path, as sent: percent-encoded, starting with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        self.undecided().request.path()
    }

    /// The query, as sent, without its question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.undecided().request.query()
    }

    /// The host and optional port that the client asked for.
    #[must_use]
    pub fn host(&self) -> &str {
        self.undecided().request.host()
    }

    /// All header fields of the request, those of the handshake included.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        let Undecided {
            request, headers, ..
        } = self.undecided();
        headers.get_or_init(|| HeaderMap::from(request.headers()))
    }

    /// The Origin. A browser always sends one.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.undecided().request.origin()
    }

    /// The subprotocols that the client offers, by its preference.
    #[must_use]
    pub fn subprotocols(&self) -> &[String] {
        self.undecided().request.subprotocols()
    }

    /// The subprotocol that the connection will have.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.undecided().request.subprotocol()
    }

    /// Chooses another subprotocol than the [acceptor](crate::Acceptor::with_subprotocols) does, or
    /// none.
    ///
    /// # Errors
    ///
    /// [`InvalidResponse::SubprotocolNotOffered`] if the client did not offer it (RFC 6455
    /// section 4.2.2); the choice is then as before.
    pub fn choose_subprotocol(&mut self, name: Option<&str>) -> Result<(), InvalidResponse> {
        self.undecided_mut().request.choose_subprotocol(name)
    }

    /// The extensions that the connection will have.
    #[must_use]
    pub fn extensions(&self) -> AgreedExtensions {
        self.undecided().request.extensions()
    }

    /// Declines every extension, for a connection that shall go without.
    pub fn decline_extensions(&mut self) {
        self.undecided_mut().request.decline_extensions();
    }

    /// Where the client connects from, if that is known: not over a stream that is not TCP, and
    /// under axum only if the application is served with
    /// `into_make_service_with_connect_info::<SocketAddr>`.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.undecided().known.peer
    }

    /// The certificates that the client has shown in TLS, its own first, if the server
    /// [asks for them](crate::tls::ServerTls#client-certificates). They are what
    /// rustls has verified.
    ///
    /// Over a stream, if it is a [`TlsStream`](tokio_rustls::server::TlsStream) over TCP. Under axum and
    /// hyper, TLS is the affair of the HTTP server.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn peer_certificates(&self) -> Option<&[CertificateDer<'static>]> {
        let shown = self.undecided().known.shown.as_deref()?;
        shown.certificates.as_deref()
    }

    /// The name that the client has asked for in TLS (SNI), where the certificates are known too.
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        let shown = self.undecided().known.shown.as_deref()?;
        shown.server_name.as_deref()
    }

    /// Notes something of the connection, for the [`Observer`](crate::Observer): who the client is, for
    /// example. A value of the same type takes the place of the one before.
    pub fn insert<T: Clone + Send + Sync + 'static>(&mut self, note: T) {
        self.undecided_mut().known.user.insert(note);
    }

    /// Fields to add to the answer that opens the connection. With one that belongs to the
    /// handshake the request is answered with 500 instead.
    pub fn response_headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.undecided_mut().answer
    }

    /// Opens the connection once the returned answer is written, and runs `handler` on it, in a
    /// task of its own, which also keeps the connection.
    ///
    /// For what becomes of errors and panics of a handler see [`Server::serve`](crate::Server::serve).
    ///
    /// # Panics
    ///
    /// For another HTTP server's request: outside of a tokio runtime.
    #[doc(alias = "on_upgrade")]
    #[must_use = "the connection opens when this answer is written"]
    pub fn run<H, F, E>(mut self, handler: H) -> Response<String>
    where
        H: FnOnce(WebSocket) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        let undecided = self.take();
        let span = undecided.span.clone();
        let _inside = span.enter();
        undecided.run(handler)
    }

    /// The answer that refuses the connection with `status` and a text for people; fields can be
    /// added to it. With a status that refuses nothing, below 300, the client gets 500.
    ///
    /// ```
    /// # fn example(incoming: revoir::Incoming) -> revoir::http::Response<String> {
    /// use revoir::http::StatusCode;
    /// use revoir::http::header::{HeaderValue, RETRY_AFTER};
    ///
    /// let mut response = incoming.refuse(StatusCode::TOO_MANY_REQUESTS, "slow down\n");
    /// response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("3"));
    /// response
    /// # }
    /// ```
    #[must_use = "the client is refused with this answer"]
    pub fn refuse(mut self, status: StatusCode, body: impl Into<String>) -> Response<String> {
        let undecided = self.take();
        let span = undecided.span.clone();
        let _inside = span.enter();
        let (response, detail) = match status.as_u16() {
            300.. => {
                let detail = format!("answered with HTTP {}", status.as_u16());
                (answer::text(status, body.into()), detail)
            }
            other => (
                internal_error(),
                format!("{FAULT}: {other} does not refuse"),
            ),
        };
        undecided.refused(detail);
        response
    }

    fn take(&mut self) -> Undecided {
        self.undecided.take().expect(DECIDED)
    }

    fn undecided(&self) -> &Undecided {
        self.undecided.as_ref().expect(DECIDED)
    }

    fn undecided_mut(&mut self) -> &mut Undecided {
        self.undecided.as_mut().expect(DECIDED)
    }
}

/// Why there is always a request: a decision consumes the handle.
const DECIDED: &str = "a decided request has no handle";

/// How the detail of an answer begins that is the application's fault.
pub(super) const FAULT: &str = "answered with HTTP 500";

pub(super) fn internal_error() -> Response<String> {
    answer::text(StatusCode::INTERNAL_SERVER_ERROR, String::new())
}

impl Undecided {
    fn run<H, F, E>(self, handler: H) -> Response<String>
    where
        H: FnOnce(WebSocket) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        let acceptance = match self.request.accept(&Headers::from(&self.answer)) {
            Ok(acceptance) => acceptance,
            Err(error) => {
                self.refused(format!("{FAULT}: {error}"));
                return internal_error();
            }
        };
        let response = answer::switching(&acceptance);
        let head = acceptance.response.clone();
        let Self {
            settings,
            known,
            span,
            host,
            ..
        } = self;
        let own = Arc::clone(&settings);
        let inside = span.clone();
        let at_most = known.clone();
        let begin: Begin = Box::new(move |stream, input, seat| {
            let socket = own.start(stream, acceptance, input, seat, inside, known);
            spawn(socket, handler);
        });
        match host {
            Host::Stream(decided) => {
                let fields = response.headers().clone();
                // Whoever waited for it is gone: the client too then.
                let _ = decided.send(Answered::Open {
                    head,
                    fields,
                    begin,
                });
            }
            Host::HttpServer { upgraded, seat } => {
                if let Some(wait) = seat.turn_away() {
                    let refusal = Refusal::from(NoPlace::Draining(wait));
                    let detail = format!("answered with HTTP {}", refusal.status);
                    settings.announce(&info(&at_most), rejected(detail));
                    return answer::refusal(refusal);
                }
                tokio::spawn(open(upgraded, settings, at_most, begin, seat).instrument(span));
            }
        }
        response
    }

    /// Tells of a refusal, or has it told by who writes the answer.
    fn refused(self, detail: String) {
        match self.host {
            Host::Stream(decided) => {
                let known = self.known;
                drop(decided.send(Answered::Refused { detail, known }));
            }
            Host::HttpServer { .. } => {
                self.settings.announce(&info(&self.known), rejected(detail));
            }
        }
    }
}

/// What an observer hears of a request that has not become a connection.
pub(super) fn info(known: &Known) -> ConnectionInfo<'_> {
    ConnectionInfo {
        path: known.path.as_deref(),
        shown: known.shown.as_deref(),
        user: Some(&known.user),
        ..nameless(known.id, known.peer)
    }
}

/// What is known of a request.
pub(super) fn known(
    request: &Request,
    id: u32,
    peer: Option<SocketAddr>,
    shown: Option<Arc<Shown>>,
) -> Known {
    Known {
        id,
        peer,
        path: Some(request.path().into()),
        shown,
        user: Extensions::new(),
    }
}

/// The ending of a connection that was refused.
pub(super) fn rejected(detail: String) -> Ending {
    Ending::never_opened(Cause::HandshakeRejected, Detail::Text(detail.into()))
}

/// Waits for the HTTP server to hand over the stream.
async fn open(upgraded: Upgraded, settings: Arc<Settings>, known: Known, begin: Begin, seat: Seat) {
    let limit = Limit::new(settings.handshake_timeout);
    let upgraded = upgraded
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    let ending = match timeout_at(limit.at, upgraded).await {
        Ok(Ok(stream)) => return begin(stream, BytesMut::new(), seat),
        Ok(Err(error)) => {
            // The client went away before it had its answer.
            let detail = Detail::Text(error.to_string().into());
            Ending::never_opened(Cause::HandshakeReset, detail)
        }
        Err(_) => limit.exceeded(),
    };
    settings.announce(&info(&known), ending);
}

/// Over a stream, who writes the answer tells of it.
impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(undecided) = self.undecided.take()
            && let Host::HttpServer { .. } = undecided.host
        {
            let detail = "the application answered without a connection".to_owned();
            let Undecided {
                settings,
                known,
                span,
                ..
            } = undecided;
            span.in_scope(|| settings.announce(&info(&known), rejected(detail)));
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("request", &self.undecided().request)
            .field("peer", &self.peer_addr())
            .finish_non_exhaustive()
    }
}
