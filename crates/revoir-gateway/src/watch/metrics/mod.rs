//! [`Metrics`]: counters for Prometheus.
//!
//! What happens to a connection is counted here when it happens. What happens to its messages is
//! not: each connection counts its own ([`super::traffic`]), and they are added up when somebody
//! asks.

mod labels;
mod scrape;
mod software;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use self::labels::{
    EndingLabels, HandshakeLabels, HoldLabels, LimitLabel, OpenedLabels, OutcomeLabels,
    RedialLabels, SoftwareLabel, StatusLabels, UpstreamLabel, VerdictLabels, VersionLabel,
};
use self::scrape::Scrape;
use self::software::software;
use crate::relay::{Ended, HoldCause, RedialFailure, Side};
use crate::watch::exchange::Exchange;
use crate::watch::handle::Handle;
use crate::watch::observer::{AuthFailure, Limit};
use crate::watch::overview::Overview;
use crate::watch::request::LoggedRequest;
pub(crate) use prometheus_text::CONTENT_TYPE;

/// The limits of the buckets, in seconds.
const HANDSHAKE: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
const HELD: [f64; 11] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 90.0];

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    opened: Family<OpenedLabels, Counter>,
    endings: Family<EndingLabels, Counter>,
    client_empty_closes: Family<SoftwareLabel, Counter>,
    backend_empty_closes: Family<UpstreamLabel, Counter>,
    holds: Family<HoldLabels, Counter>,
    held: Family<OutcomeLabels, Histogram>,
    redials: Family<RedialLabels, Counter>,
    limited: Family<LimitLabel, Counter>,
    auth_failures: Family<HoldLabels, Counter>,
    verdicts: Family<VerdictLabels, Counter>,
    handshakes: Family<HandshakeLabels, Histogram>,
    refusals: Family<StatusLabels, Counter>,
    requests: Family<StatusLabels, Counter>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            opened: Family::default(),
            endings: Family::default(),
            client_empty_closes: Family::default(),
            backend_empty_closes: Family::default(),
            holds: Family::default(),
            held: Family::new_with_constructor(|| Histogram::new(HELD)),
            redials: Family::default(),
            limited: Family::default(),
            auth_failures: Family::default(),
            verdicts: Family::default(),
            handshakes: Family::new_with_constructor(|| Histogram::new(HANDSHAKE)),
            refusals: Family::default(),
            requests: Family::default(),
        }
    }
}

impl Metrics {
    /// A connection is open.
    pub(crate) fn opened(&self, handle: &Handle) {
        let labels = OpenedLabels {
            route: handle.request.route_label(),
            mode: handle.treatment().id(),
            by: handle.treatment().by(),
        };
        self.opened.get_or_create(&labels).inc();
        self.handshake(Side::Client, &handle.request, handle.handshake);
    }

    /// A backend has accepted, so long after it was dialled.
    pub(crate) fn backend_accepted(&self, request: &LoggedRequest, took: Duration) {
        self.handshake(Side::Backend, request, took);
    }

    /// One side of a connection has ended.
    pub(crate) fn ended(&self, ended: &Ended, handle: &Handle) {
        let ending = &ended.ending;
        let labels = EndingLabels {
            route: handle.request.route_label(),
            side: ended.side,
            code: ending.code().into(),
            cause: ending.cause.id(),
        };
        self.endings.get_or_create(&labels).inc();
        if ending
            .received
            .is_some_and(|frame| frame.wire_code().is_none())
        {
            self.empty_close(ended.side, handle);
        }
    }

    /// Somebody asked for more than is allowed.
    pub(crate) fn limited(&self, limit: Limit) {
        let limit = limit.id();
        self.limited.get_or_create(&LimitLabel { limit }).inc();
    }

    /// The auth hook of a route did not say whether a request may pass.
    pub(crate) fn auth_failed(&self, route: &Arc<str>, why: AuthFailure) {
        let (route, why) = (Arc::clone(route), why.id());
        let labels = HoldLabels { route, why };
        self.auth_failures.get_or_create(&labels).inc();
    }

    /// A client has a session.
    pub(crate) fn session_attached(&self, route: &Arc<str>, verdict: &'static str) {
        let route = Arc::clone(route);
        let labels = VerdictLabels { route, verdict };
        self.verdicts.get_or_create(&labels).inc();
    }

    /// A client is held.
    pub(crate) fn held(&self, why: HoldCause, handle: &Handle) {
        let (route, why) = (handle.request.route_label(), why.id());
        self.holds.get_or_create(&HoldLabels { route, why }).inc();
    }

    /// A client is not held any more: it has a backend, or it has ended.
    pub(crate) fn hold_over(&self, after: Duration, returned: bool, handle: &Handle) {
        let outcome = match returned {
            true => "returned",
            false => "ended",
        };
        let route = handle.request.route_label();
        let held = self.held.get_or_create(&OutcomeLabels { route, outcome });
        held.observe(after.as_secs_f64());
    }

    /// A re-dial led to a backend.
    pub(crate) fn redial_accepted(&self, handle: &Handle) {
        self.redial("accepted", handle);
    }

    /// A re-dial did not.
    pub(crate) fn redial_failed(&self, redialed: &RedialFailure, handle: &Handle) {
        let result = match redialed {
            RedialFailure::Refused { .. } => "refused",
            RedialFailure::Changed(_) => "changed",
            RedialFailure::Invalid => "invalid",
            RedialFailure::Unreachable => "unreachable",
        };
        self.redial(result, handle);
    }

    /// A request that did not become a connection was answered.
    pub(crate) fn answered(&self, exchange: &Exchange) {
        let status = exchange.status.into();
        let family = match exchange.is_handshake {
            true => &self.refusals,
            false => &self.requests,
        };
        let route = exchange.request.route_label();
        family.get_or_create(&StatusLabels { route, status }).inc();
    }

    /// All metrics in the text format of Prometheus. `overview` is of this moment.
    pub(crate) fn text(&self, overview: Overview, dropped_lines: u64) -> String {
        let mut registry = Registry::with_prefix("revoir");
        self.register(&mut registry);
        registry.register_collector(Box::new(Scrape {
            overview,
            dropped_lines,
        }));
        let mut text = String::new();
        // Writing into memory does not fail.
        let _ = prometheus_text::encode(&mut text, &registry);
        text
    }

    fn register(&self, registry: &mut Registry) {
        let build = Family::<VersionLabel, Gauge>::default();
        let version = env!("CARGO_PKG_VERSION");
        build.get_or_create(&VersionLabel { version }).set(1);
        registry.register("build", "What is running", build);
        let opened = "WebSocket connections that were opened";
        registry.register("connections_opened", opened, self.opened.clone());
        let endings = "Endings of one side of a connection. A backend's side may end several times";
        registry.register("endings", endings, self.endings.clone());
        registry.register(
            "client_empty_closes",
            "Close frames without a code (1005) from clients, by what they run on",
            self.client_empty_closes.clone(),
        );
        registry.register(
            "backend_empty_closes",
            "Close frames without a code (1005) from backends",
            self.backend_empty_closes.clone(),
        );
        let holds = "Clients that were held, by what their backend did";
        registry.register("holds", holds, self.holds.clone());
        let held = "How long clients were held without a backend";
        registry.register_with_unit("held", held, Unit::Seconds, self.held.clone());
        let redials = "Attempts to get another backend for held clients";
        registry.register("redials", redials, self.redials.clone());
        let limited = "How often somebody asked for more than is allowed";
        registry.register("limited", limited, self.limited.clone());
        let failures = "Requests that were refused because the auth hook did not answer";
        registry.register("auth_failures", failures, self.auth_failures.clone());
        let verdicts = "Clients that came for a session, by what became of the one that they had";
        registry.register("session_verdicts", verdicts, self.verdicts.clone());
        registry.register_with_unit(
            "handshake",
            "Opening handshakes: at the client from request to 101, with all waiting; at the \
             backend from TCP to 101",
            Unit::Seconds,
            self.handshakes.clone(),
        );
        let refusals = "Opening handshakes that were answered with another status than 101";
        registry.register("refusals", refusals, self.refusals.clone());
        let requests = "Requests for anything but a WebSocket that were answered";
        registry.register("requests", requests, self.requests.clone());
    }

    fn handshake(&self, side: Side, request: &LoggedRequest, took: Duration) {
        let route = request.route_label();
        let labels = HandshakeLabels { route, side };
        let handshakes = self.handshakes.get_or_create(&labels);
        handshakes.observe(took.as_secs_f64());
    }

    fn empty_close(&self, side: Side, handle: &Handle) {
        match side {
            Side::Client => {
                let software = software(handle.request.user_agent.as_deref());
                let label = SoftwareLabel { software };
                self.client_empty_closes.get_or_create(&label).inc();
            }
            Side::Backend => {
                let upstream = handle.upstream().to_string();
                let label = UpstreamLabel { upstream };
                self.backend_empty_closes.get_or_create(&label).inc();
            }
        }
    }

    fn redial(&self, result: &'static str, handle: &Handle) {
        let route = handle.request.route_label();
        self.redials
            .get_or_create(&RedialLabels { route, result })
            .inc();
    }
}
