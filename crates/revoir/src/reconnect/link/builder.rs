//! [`LinkBuilder`]: where to, by which policy, and what becomes of messages meanwhile.

use std::future::Future;
use std::io;
use std::sync::Arc;

use revoir_proto::Ending;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::client::{Client, ConnectError};
use crate::reconnect::link::dialer::Dialer;
use crate::reconnect::link::handle::Link;
use crate::reconnect::link::task;
use crate::reconnect::link::while_down::WhileDown;
use crate::reconnect::{History, Policy};

/// A [`Link`] before it starts; [`Link::to`] makes one.
#[derive(Debug)]
#[must_use = "nothing happens before `start`"]
pub struct LinkBuilder {
    dialer: Dialer,
    policy: Policy,
    history: History,
    while_down: WhileDown,
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

    /// Gets fresh credentials when an ending asks for them: 1008, 3000, HTTP 401 and 403, and the
    /// rules that say so.
    ///
    /// `hook` is given the ending, and makes the client for all attempts from then on; `None` gives
    /// up. It is called once its delay is over, right before the attempt, and may take its time: to
    /// try again by itself is its own affair. Closing the link drops its future.
    pub fn with_refresh<F, Fut>(mut self, hook: F) -> Self
    where
        F: FnMut(Arc<Ending>) -> Fut + Send + 'static,
        Fut: Future<Output = Option<Client>> + Send + 'static,
    {
        self.dialer.set_refresh(hook);
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
            self.while_down,
        ))
    }
}
