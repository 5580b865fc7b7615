//! [`LinkBuilder`]: where to, by which policy, and what becomes of messages meanwhile.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use revoir_proto::Ending;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::client::{Client, ConnectError};
use crate::reconnect::link::dialer::Dialer;
use crate::reconnect::link::handle::Link;
use crate::reconnect::link::pace::Pace;
use crate::reconnect::link::request::{Attempt, LinkRequest};
use crate::reconnect::link::shared::LinkShared;
use crate::reconnect::link::task;
use crate::reconnect::link::while_down::WhileDown;
use crate::reconnect::{History, Policy};
use crate::websocket::WebSocket;

/// A [`Link`] before it starts; [`Link::to`] makes one.
#[derive(Debug)]
#[must_use = "nothing happens before `start`"]
pub struct LinkBuilder {
    dialer: Dialer,
    policy: Policy,
    history: History,
    while_down: WhileDown,
    pace: Pace,
}

impl Link {
    /// A link to `url`: `ws://` or `wss://`, as for [`Client::connect`](crate::Client::connect).
    pub fn to(url: &str) -> LinkBuilder {
        LinkBuilder::new(url)
    }
}

impl LinkBuilder {
    fn new(url: &str) -> Self {
        Self {
            dialer: Dialer::new(url),
            policy: Policy::new(),
            history: History::new(),
            while_down: WhileDown::default(),
            pace: Pace::default(),
        }
    }

    /// Connects as `client` says: headers, subprotocols, TLS, limits, timeouts. Default:
    /// [`Client::new`].
    pub fn with_client(mut self, client: Client) -> Self {
        self.dialer.client = client;
        self
    }

    /// Adds another URL of the same service. They are tried in turn: the next one after an attempt
    /// that failed and after 1013, and the same one after a connection that ended. Every attempt
    /// waits for its delay.
    pub fn or_to(mut self, url: &str) -> Self {
        self.dialer.add(url);
        self
    }

    /// Whether and when to come back. Default: [`Policy::new`].
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Goes on from an earlier history. Default: [`History::new`].
    pub fn with_history(mut self, history: History) -> Self {
        self.history = history;
        self
    }

    /// What sending does while there is no connection. Default: [`WhileDown::Wait`].
    pub fn with_while_down(mut self, while_down: WhileDown) -> Self {
        self.while_down = while_down;
        self
    }

    /// At least so much time lies between two messages that were kept, on the next connection: for a
    /// server that limits the rate of its clients. Default: zero.
    ///
    /// In any case they go out at most twice as fast as they were accepted, with at most 50 ms
    /// between two, unless this asks for more. Messages that are accepted meanwhile follow behind.
    pub fn with_backlog_gap(mut self, gap: Duration) -> Self {
        self.pace = Pace::with_gap(gap);
        self
    }

    /// Asks `hook` before every attempt, the first one too, what to ask the server for: a signed URL,
    /// a token, where to go on from. It is given the [`Attempt`] with the ending before.
    ///
    /// With a hook, endings that ask for fresh credentials are followed by one attempt, and
    /// [`Attempt::refresh`] says so. It is called once the delay is over, right before the attempt,
    /// and may take its time: to try again by itself is its own affair. Closing the link drops its
    /// future. `None` gives up: the link ends with [`LinkEvent::GaveUp`](crate::reconnect::LinkEvent::GaveUp),
    /// or, before the first attempt, with [`LinkEvent::Closed`](crate::reconnect::LinkEvent::Closed).
    ///
    /// ```no_run
    /// # async fn token() -> Option<String> { None }
    /// use std::time::Duration;
    /// use revoir::{Client, Link};
    /// use revoir::reconnect::LinkRequest;
    ///
    /// # fn example() -> Result<(), revoir::client::ConnectError> {
    /// let link = Link::to("wss://example.com/feed")
    ///     .with_request(|attempt| async move {
    ///         let token = token().await?;
    ///         let client = Client::new().with_header("Authorization", format!("Bearer {token}"));
    ///         let request = LinkRequest::new(format!("{}?attempt={}", attempt.url, attempt.number));
    ///         Some(request.with_client(client).with_validity(Duration::from_secs(3600)))
    ///     })
    ///     .start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_request<F, Fut>(mut self, hook: F) -> Self
    where
        F: FnMut(Attempt) -> Fut + Send + 'static,
        Fut: Future<Output = Option<LinkRequest>> + Send + 'static,
    {
        self.dialer.set_request(hook);
        self
    }

    /// Runs `hook` on every connection before anything else: before what was kept, before the
    /// messages of other tasks, and before [`LinkEvent::Up`](crate::reconnect::LinkEvent::Up). For protocols
    /// that begin with a greeting, an authorization or a resumption.
    ///
    /// It may send and receive, and gives the socket back; or the ending, if the connection did not
    /// live so long or was refused. What it receives does not come as an event. It has no time limit
    /// of its own. Closing the link drops its future.
    ///
    /// ```no_run
    /// use revoir::{Link, Message};
    ///
    /// # fn example() -> Result<(), revoir::client::ConnectError> {
    /// let link = Link::to("wss://example.com/graphql")
    ///     .with_on_open(|mut socket| async move {
    ///         socket.send_text(r#"{"type":"connection_init"}"#).await?;
    ///         let _acknowledged: Message = socket.recv().await?;
    ///         Ok(socket)
    ///     })
    ///     .start()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_on_open<F, Fut>(mut self, hook: F) -> Self
    where
        F: FnMut(WebSocket) -> Fut + Send + 'static,
        Fut: Future<Output = Result<WebSocket, Arc<Ending>>> + Send + 'static,
    {
        self.dialer.set_on_open(hook);
        self
    }

    /// Gets the byte stream for a URL from `connector` in place of TCP: a Unix socket, a tunnel,
    /// memory. For a `wss` URL, TLS is spoken on it. The client's connect timeout covers it.
    pub fn with_connector<F, Fut, S>(mut self, connector: F) -> Self
    where
        F: FnMut(Arc<str>) -> Fut + Send + 'static,
        Fut: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        self.dialer.set_connector(connector);
        self
    }

    /// Starts a link that offers `subprotocol` first, and no extensions, and whose connections `hook`
    /// drives to their endings.
    #[cfg(feature = "session")]
    pub(crate) fn start_over<F, Fut>(
        mut self,
        subprotocol: &'static str,
        hook: F,
    ) -> Result<Link, ConnectError>
    where
        F: FnMut(WebSocket) -> Fut + Send + 'static,
        Fut: Future<Output = Result<WebSocket, Arc<Ending>>> + Send + 'static,
    {
        self.dialer.subprotocol = Some(subprotocol);
        self.with_on_open(hook).start()
    }

    /// Starts: spawns a task, which makes the first attempt at once.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Url`] and [`ConnectError::Request`]: mistakes that no attempt would mend.
    /// Everything else becomes an event.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(self) -> Result<Link, ConnectError> {
        self.dialer.check()?;
        let policy = self.policy.with_refresh(self.dialer.can_refresh());
        Ok(task::start(
            self.dialer,
            policy,
            self.history,
            LinkShared::new(self.while_down, self.pace),
        ))
    }
}
