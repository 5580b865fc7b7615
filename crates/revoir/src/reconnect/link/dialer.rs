//! [`Dialer`]: how a link gets its connections.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use revoir_proto::{Cause, Detail, Ending};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::client::{Client, ConnectError, not_reached};
use crate::websocket::WebSocket;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Connector = Box<dyn FnMut(Arc<str>) -> Boxed<io::Result<Box<dyn Duplex>>> + Send>;
type Refresh = Box<dyn FnMut(Arc<Ending>) -> Boxed<Option<Client>> + Send>;

/// Any byte stream.
trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

pub(super) struct Dialer {
    pub(super) client: Client,
    urls: Vec<Arc<str>>,
    turn: usize,
    connector: Option<Connector>,
    refresh: Option<Refresh>,
}

impl Dialer {
    pub(super) fn new(url: &str) -> Self {
        Self {
            client: Client::new(),
            urls: vec![url.into()],
            turn: 0,
            connector: None,
            refresh: None,
        }
    }

    pub(super) fn add(&mut self, url: &str) {
        self.urls.push(url.into());
    }

    pub(super) fn set_refresh<F, Fut>(&mut self, mut hook: F)
    where
        F: FnMut(Arc<Ending>) -> Fut + Send + 'static,
        Fut: Future<Output = Option<Client>> + Send + 'static,
    {
        self.refresh = Some(Box::new(move |ending| Box::pin(hook(ending))));
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

    pub(super) fn can_refresh(&self) -> bool {
        self.refresh.is_some()
    }

    /// Whether the client can connect to every URL, as far as that can be known.
    pub(super) fn check(&self) -> Result<(), ConnectError> {
        self.urls.iter().try_for_each(|url| self.client.check(url))
    }

    /// The URL whose turn it is.
    pub(super) fn url(&self) -> &Arc<str> {
        &self.urls[self.turn]
    }

    /// It is the next URL's turn.
    pub(super) fn advance(&mut self) {
        self.turn = (self.turn + 1) % self.urls.len();
    }

    /// Makes one attempt.
    pub(super) async fn open(&mut self) -> Result<WebSocket, Arc<Ending>> {
        let url = Arc::clone(&self.urls[self.turn]);
        let opened = match &mut self.connector {
            None => self.client.connect(&url).await,
            Some(connector) => {
                let limit = self.client.connect_timeout();
                let stream = match timeout(limit, connector(Arc::clone(&url))).await {
                    Ok(Ok(stream)) => stream,
                    Ok(Err(error)) => return Err(Arc::new(not_reached(&url, &error))),
                    Err(_) => {
                        let ending = not_reached(&url, &io::ErrorKind::TimedOut.into());
                        return Err(Arc::new(ending));
                    }
                };
                self.client.connect_over(&url, stream).await
            }
        };
        opened.map_err(|error| match error {
            ConnectError::Ended(ending) => ending,
            // Checked before, so this does not happen.
            mistake => {
                let detail = Detail::Text(mistake.to_string().into());
                Arc::new(Ending::never_opened(Cause::HandshakeInvalid, detail))
            }
        })
    }

    /// Gets fresh credentials. Returns whether there are any.
    pub(super) async fn refresh(&mut self, ending: &Arc<Ending>) -> bool {
        let Some(hook) = &mut self.refresh else {
            return false;
        };
        let Some(client) = hook(Arc::clone(ending)).await else {
            return false;
        };
        self.client = client;
        match self.check() {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(target: "revoir", %error, "the refreshed client cannot connect");
                false
            }
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
