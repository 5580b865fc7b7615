//! [`Attempt`] and [`LinkRequest`]: what is asked for, attempt by attempt.

use std::sync::Arc;
use std::time::Duration;

use revoir_proto::Ending;

use crate::client::Client;

/// An attempt that is about to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// How many attempts in a row were made without a stable connection; 0 for the first one.
    pub number: u32,
    /// The URL of the link whose turn it is.
    pub url: Arc<str>,
    /// How the connection or the attempt before ended; `None` for the first one.
    pub last: Option<Arc<Ending>>,
    /// Whether that ending asks for fresh credentials: 1008, 3000, HTTP 401 and 403, and the rules
    /// that say so.
    pub refresh: bool,
}

/// What an attempt asks for: a URL, headers, subprotocols.
#[derive(Clone, Debug)]
#[must_use = "it is to be returned from the hook"]
pub struct LinkRequest {
    pub(super) url: Arc<str>,
    pub(super) client: Option<Client>,
    pub(super) valid_for: Option<Duration>,
}

impl LinkRequest {
    /// Asks for `url`, with the client of the link.
    pub fn new(url: impl Into<Arc<str>>) -> Self {
        Self {
            url: url.into(),
            client: None,
            valid_for: None,
        }
    }

    /// Asks as `client` says: headers, subprotocols, TLS. Clones of a client are cheap.
    pub fn with_client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }

    /// How long the credentials in the request are good, from now on. Default: unknown.
    ///
    /// If an ending asks for fresh ones after that time, it is known why, and that it concerns this
    /// client alone: the attempt follows after 250 ms and not after a random delay. A time that the
    /// server asked for is kept.
    pub fn with_validity(mut self, valid_for: Duration) -> Self {
        self.valid_for = Some(valid_for);
        self
    }
}
