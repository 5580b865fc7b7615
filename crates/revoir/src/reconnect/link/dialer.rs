//! [`Dialer`]: how a link gets its connections.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use revoir_proto::{Cause, Detail, Ending};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};

use crate::client::{Client, ConnectError, not_reached};
use crate::reconnect::link::request::{Attempt, LinkRequest};
use crate::websocket::WebSocket;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Connector = Box<dyn FnMut(Arc<str>) -> Boxed<io::Result<Box<dyn Duplex>>> + Send>;
type MakeRequest = Box<dyn FnMut(Attempt) -> Boxed<Option<LinkRequest>> + Send>;
type Opened = Result<WebSocket, Arc<Ending>>;
type OnOpen = Box<dyn FnMut(WebSocket) -> Boxed<Opened> + Send>;

/// Any byte stream.
trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

pub(super) struct Dialer {
    pub(super) client: Client,
    urls: Vec<Arc<str>>,
    turn: usize,
    connector: Option<Connector>,
    make_request: Option<MakeRequest>,
    on_open: Option<OnOpen>,
    /// What every connection speaks, if the link is that of a session.
    #[cfg(feature = "session")]
    pub(super) subprotocol: Option<&'static str>,
    /// When the credentials of the last request are no good any more, if that is known.
    stale_from: Option<Instant>,
}

impl Dialer {
    pub(super) fn new(url: &str) -> Self {
        Self {
            client: Client::new(),
            urls: vec![url.into()],
            turn: 0,
            connector: None,
            make_request: None,
            on_open: None,
            #[cfg(feature = "session")]
            subprotocol: None,
            stale_from: None,
        }
    }

    pub(super) fn add(&mut self, url: &str) {
        self.urls.push(url.into());
    }

    pub(super) fn set_request<F, Fut>(&mut self, mut hook: F)
    where
        F: FnMut(Attempt) -> Fut + Send + 'static,
        Fut: Future<Output = Option<LinkRequest>> + Send + 'static,
    {
        self.make_request = Some(Box::new(move |attempt| Box::pin(hook(attempt))));
    }

    pub(super) fn set_on_open<F, Fut>(&mut self, mut hook: F)
    where
        F: FnMut(WebSocket) -> Fut + Send + 'static,
        Fut: Future<Output = Opened> + Send + 'static,
    {
        self.on_open = Some(Box::new(move |socket| Box::pin(hook(socket))));
    }

    pub(super) fn set_connector<F, Fut, S>(&mut self, mut connector: F)
    where
        F: FnMut(Arc<str>) -> Fut + Send + 'static,
        Fut: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.connector = Some(Box::new(move |url| {
            let connecting = connector(url);
            Box::pin(async move { Ok(Box::new(connecting.await?) as Box<dyn Duplex>) })
        }));
    }

    /// Whether a hook can get fresh credentials.
    pub(super) fn can_refresh(&self) -> bool {
        self.make_request.is_some()
    }

    /// Whether the credentials of the last request are known to be stale.
    pub(super) fn is_stale(&self) -> bool {
        self.stale_from.is_some_and(|from| from <= Instant::now())
    }

    /// Whether the client can connect to every URL, as far as that can be known.
    pub(super) fn check(&self) -> Result<(), ConnectError> {
        self.urls
            .iter()
            .try_for_each(|url| self.client.check(&**url))
    }

    /// The URL whose turn it is.
    pub(super) fn url(&self) -> &Arc<str> {
        &self.urls[self.turn]
    }

    /// It is the next URL's turn.
    pub(super) fn advance(&mut self) {
        self.turn = (self.turn + 1) % self.urls.len();
    }

    /// What the attempt asks for; `None`: the hook wants none.
    pub(super) async fn request(
        &mut self,
        number: u32,
        last: Option<Arc<Ending>>,
        refresh: bool,
    ) -> Option<LinkRequest> {
        let url = Arc::clone(self.url());
        let Some(hook) = &mut self.make_request else {
            return Some(LinkRequest::new(url));
        };
        let request = hook(Attempt {
            number,
            url,
            last,
            refresh,
        });
        let request = request.await?;
        let good_for = request.valid_for;
        self.stale_from = good_for.and_then(|good_for| Instant::now().checked_add(good_for));
        Some(request)
    }

    /// Makes one attempt.
    pub(super) async fn open(&mut self, request: LinkRequest) -> Opened {
        let LinkRequest { url, client, .. } = request;
        let client = client.as_ref().unwrap_or(&self.client);
        #[cfg(feature = "session")]
        let speaking = self.subprotocol.map(|name| client.clone().speaking(name));
        #[cfg(feature = "session")]
        let client = speaking.as_ref().unwrap_or(client);
        let opened = match &mut self.connector {
            None => client.connect(&*url).await,
            Some(connector) => {
                let limit = client.connect_timeout();
                let stream = match timeout(limit, connector(Arc::clone(&url))).await {
                    Ok(Ok(stream)) => stream,
                    Ok(Err(error)) => return Err(Arc::new(not_reached(&url, &error))),
                    Err(_) => {
                        let ending = not_reached(&url, &io::ErrorKind::TimedOut.into());
                        return Err(Arc::new(ending));
                    }
                };
                client.connect_over(&*url, stream).await
            }
        };
        opened.map_err(|error| match error {
            ConnectError::Ended(ending) => ending,
            // What `check` cannot have seen: a mistake in what the hook asks for.
            mistake => {
                tracing::error!(target: "revoir", error = %mistake, "a link cannot connect");
                let detail = Detail::Text(mistake.to_string().into());
                Arc::new(Ending::never_opened(Cause::HandshakeInvalid, detail))
            }
        })
    }

    /// What the application does first on a connection.
    pub(super) async fn greet(&mut self, socket: WebSocket) -> Opened {
        match &mut self.on_open {
            Some(hook) => hook(socket).await,
            None => Ok(socket),
        }
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer")
            .field("client", &self.client)
            .field("urls", &self.urls)
            .field("turn", &self.turn)
            .finish_non_exhaustive()
    }
}
