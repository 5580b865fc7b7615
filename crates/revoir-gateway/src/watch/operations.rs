//! [`Operations`]: what the operator of a gateway gets to see of it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::relay::{Ended, HoldCause, RedialFailure};
use crate::watch::access_log::{AccessLog, Entry};
use crate::watch::exchange::Exchange;
use crate::watch::handle::{Handle, Record};
use crate::watch::metrics::Metrics;
use crate::watch::observer::{AuthFailure, Limit, Observer};
use crate::watch::overview::Overview;
use crate::watch::request::LoggedRequest;

/// The metrics and the access log.
#[derive(Debug)]
pub struct Operations {
    metrics: Metrics,
    log: AccessLog,
    logs: Logs,
}

/// What is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Logs {
    /// WebSocket connections and all other requests.
    All,
    /// WebSocket connections, and requests that asked for one.
    Connections,
    /// Nothing.
    None,
}

impl Operations {
    /// Writes to `log` what `logs` says.
    pub fn new(log: AccessLog, logs: Logs) -> Self {
        Self {
            metrics: Metrics::default(),
            log,
            logs,
        }
    }

    /// All metrics in the text format of Prometheus.
    pub fn metrics(&self, overview: Overview) -> String {
        self.metrics.text(overview, self.log.dropped())
    }

    /// Lines of the log that came too fast to be written.
    pub fn dropped_lines(&self) -> u64 {
        self.log.dropped()
    }
}

impl Observer for Operations {
    fn opened(&self, handle: &Handle) {
        self.metrics.opened(handle);
    }

    fn backend_accepted(&self, request: &LoggedRequest, took: Duration) {
        self.metrics.backend_accepted(request, took);
    }

    fn session_attached(&self, route: &Arc<str>, verdict: &'static str) {
        self.metrics.session_attached(route, verdict);
    }

    fn ended(&self, ended: &Ended, handle: &Handle) {
        self.metrics.ended(ended, handle);
    }

    fn held(&self, why: HoldCause, handle: &Handle) {
        self.metrics.held(why, handle);
    }

    fn redial_failed(&self, redialed: &RedialFailure, handle: &Handle) {
        self.metrics.redial_failed(redialed, handle);
    }

    fn returned(&self, after: Duration, handle: &Handle) {
        self.metrics.redial_accepted(handle);
        self.metrics.hold_over(after, true, handle);
    }

    fn given_up(&self, after: Duration, handle: &Handle) {
        self.metrics.hold_over(after, false, handle);
    }

    fn limited(&self, limit: Limit) {
        self.metrics.limited(limit);
    }

    fn auth_failed(&self, route: &Arc<str>, why: AuthFailure) {
        self.metrics.auth_failed(route, why);
    }

    fn closed(&self, record: Record) {
        if self.logs != Logs::None {
            self.log.log(Entry::Connection(Box::new(record)));
        }
    }

    fn answered(&self, exchange: Exchange) {
        self.metrics.answered(&exchange);
        let is_logged = match self.logs {
            Logs::All => true,
            Logs::Connections => exchange.is_handshake,
            Logs::None => false,
        };
        if is_logged {
            self.log.log(Entry::Request(Box::new(exchange)));
        }
    }
}
