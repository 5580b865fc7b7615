//! [`Client`]: what to ask for, and how long to wait.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use revoir_proto::Config;
use revoir_proto::extension::Extensions;
use revoir_proto::handshake::{ClientRequest, HeadLimits, InvalidRequest};

use crate::client::ConnectError;
use crate::client::proxy::Proxies;
use crate::client::resolver::Resolver;
use crate::client::url::Target;
use crate::driver::Home;
use crate::observer::Observer;
#[cfg(feature = "rustls")]
use crate::tls::ClientTls;
use crate::websocket::WebSocket;

/// How long TLS and the opening handshake may take, unless told otherwise: longer than a server waits
/// before it answers with 503.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// Opens a connection to `url` with the defaults of [`Client`].
///
/// # Errors
///
/// As for [`Client::connect`].
///
/// # Cancel safety
///
/// Dropping the future gives the attempt up; a connection is either returned or gone.
pub async fn connect<U>(url: U) -> Result<WebSocket, ConnectError>
where
    U: TryInto<Target>,
    U::Error: Into<ConnectError>,
{
    Client::new().connect(url).await
}

/// Opens connections. One value serves for many; clones are cheap to use.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = revoir::Client::new()
///     .with_header("Authorization", "Bearer t0ken")
///     .with_subprotocol("chat.v2")
///     .with_connect_timeout(std::time::Duration::from_secs(3));
/// let mut socket = client.connect("wss://example.com/chat").await?;
/// socket.send_text("hello").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    headers: Vec<(String, Vec<u8>)>,
    /// What the application notes of the connections.
    pub(super) notes: http::Extensions,
    subprotocols: Vec<String>,
    origin: Option<String>,
    extensions: Extensions,
    pub(super) head_limits: HeadLimits,
    pub(super) config: Arc<Config>,
    pub(super) connect_timeout: Duration,
    pub(super) handshake_timeout: Duration,
    pub(super) nodelay: bool,
    pub(super) resolver: Resolver,
    pub(super) home: Arc<Home>,
    pub(super) proxies: Proxies,
    #[cfg(feature = "rustls")]
    pub(super) tls: Option<ClientTls>,
}

impl Client {
    /// A client with the defaults that the [crate's front page](crate#limits) lists.
    #[must_use]
    pub fn new() -> Self {
        Self {
            headers: Vec::new(),
            notes: http::Extensions::new(),
            subprotocols: Vec::new(),
            origin: None,
            extensions: Extensions::client_default(),
            head_limits: HeadLimits::default(),
            config: Arc::new(Config::client()),
            connect_timeout: Duration::from_secs(10),
            handshake_timeout: HANDSHAKE_TIMEOUT,
            nodelay: true,
            resolver: Resolver::default(),
            home: Arc::default(),
            proxies: Proxies::default(),
            #[cfg(feature = "rustls")]
            tls: None,
        }
    }

    /// Sends one more header field, for example a cookie or an authorization: text, bytes, or the
    /// names and values of the crate `http`. What may not be sent is found by
    /// [`connect`](Self::connect).
    #[must_use]
    pub fn with_header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        let (name, value) = (name.as_ref().to_owned(), value.as_ref().to_vec());
        self.headers.push((name, value));
        self
    }

    /// Sends these header fields too.
    #[must_use]
    pub fn with_headers(mut self, headers: &HeaderMap) -> Self {
        for (name, value) in headers {
            self = self.with_header(name, value);
        }
        self
    }

    /// Offers one more subprotocol, after those offered before.
    #[must_use]
    pub fn with_subprotocol(mut self, name: &str) -> Self {
        self.subprotocols.push(name.to_owned());
        self
    }

    /// Sends `origin`, as a browser would.
    #[must_use]
    pub fn with_origin(mut self, origin: &str) -> Self {
        self.origin = Some(origin.to_owned());
        self
    }

    /// Offers these extensions. Default: permessage-deflate, where it is compiled in.
    #[must_use]
    pub fn with_extensions(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self
    }

    /// Limits, keepalive and deadlines of the open connection.
    /// Default: [`Config::client`].
    #[must_use]
    pub fn with_config(mut self, config: Config) -> Self {
        self.config = Arc::new(config);
        self
    }

    /// Limits on the head of the server's answer. Default: 16 KiB and 100 fields.
    #[must_use]
    pub fn with_head_limits(mut self, limits: HeadLimits) -> Self {
        self.head_limits = limits;
        self
    }

    /// How long the name and TCP may take, over all addresses. Default: 10 s.
    #[must_use]
    pub fn with_connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long TLS and the opening handshake may take together. Default: 15 s, so that a server or a
    /// gateway that waits for 10 s, for a backend perhaps, can still answer.
    #[must_use]
    pub fn with_handshake_timeout(mut self, limit: Duration) -> Self {
        self.handshake_timeout = limit;
        self
    }

    /// Whether small writes leave at once (`TCP_NODELAY`). Default: yes.
    #[must_use]
    pub fn with_nodelay(mut self, nodelay: bool) -> Self {
        self.nodelay = nodelay;
        self
    }

    /// Gets the addresses of a host and port from `resolve`, in order of preference. Default: the
    /// platform's resolver.
    #[must_use]
    pub fn with_resolver<F, Fut>(mut self, resolve: F) -> Self
    where
        F: Fn(String, u16) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        self.resolver = Resolver::new(resolve);
        self
    }

    /// Goes through a proxy:
    ///
    /// - `http://host:port`: by CONNECT of HTTP; with the feature `rustls`, `https://host:port` is the same
    ///   over TLS, and the proxy's certificate is trusted as [`with_tls`](Self::with_tls) says;
    /// - `socks5h://host:port`, or `socks5`: by SOCKS5 (RFC 1928).
    ///
    /// `user:password@` before the host are credentials, for Basic authentication or RFC 1929. The
    /// proxy's name is resolved here, the server's name by the proxy, whichever kind it is.
    ///
    /// The connect timeout covers all of it. An ending before the tunnel stands names the proxy, and
    /// is not taken for the server's; an HTTP proxy that refuses is
    /// [`Cause::HandshakeRejected`](crate::Cause::HandshakeRejected) with its status. The credentials are
    /// printed nowhere. A URL that is none is found by [`connect`](Self::connect).
    #[must_use]
    pub fn with_proxy(mut self, url: &str) -> Self {
        self.proxies = Proxies::all(url);
        self
    }

    /// Goes through the proxies that the environment names now: `http_proxy` for `ws`,
    /// `https_proxy` for `wss`, `all_proxy` for both, and none for what `no_proxy` lists, also in
    /// capitals. Their values are those that [`with_proxy`](Self::with_proxy) takes. Without this call the
    /// environment has no say.
    ///
    /// `no_proxy` is a list of domains, IP addresses, networks in CIDR notation, or `*`. In a CGI
    /// program `HTTP_PROXY` is left out: there it is a field of the request.
    #[must_use]
    pub fn with_proxy_from_env(mut self) -> Self {
        self.proxies = Proxies::from_variables(|name| std::env::var(name).ok());
        self
    }

    /// Tells `observer` of every opening and every ending.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        Arc::make_mut(&mut self.home).observer = Some(observer);
        self
    }

    /// Notes something of the connections, for the [`Observer`]; see
    /// [`ConnectionInfo::get`](crate::ConnectionInfo::get).
    #[must_use]
    pub fn with_extension<T: Clone + Send + Sync + 'static>(mut self, note: T) -> Self {
        self.notes.insert(note);
        self
    }

    /// Whom to trust. Default: [`ClientTls::platform`].
    #[cfg(feature = "rustls")]
    #[must_use]
    pub fn with_tls(mut self, tls: ClientTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Offers this subprotocol before others, and no extensions.
    #[cfg(feature = "session")]
    pub(crate) fn speaking(mut self, subprotocol: &str) -> Self {
        self.subprotocols.insert(0, subprotocol.to_owned());
        self.with_extensions(Extensions::default())
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    pub(super) fn request(&self, target: &Target) -> Result<ClientRequest, InvalidRequest> {
        let Target {
            host,
            port,
            secure,
            resource,
        } = target;
        let mut request = ClientRequest::new(host, *port, *secure, resource)?
            .with_extensions(self.extensions.clone());
        if let Some(origin) = &self.origin {
            request = request.with_origin(origin)?;
        }
        for name in &self.subprotocols {
            request = request.with_subprotocol(name)?;
        }
        for (name, value) in &self.headers {
            request = request.with_header(name, value)?;
        }
        Ok(request)
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}
