//! What is read off the gateway when somebody asks, and not counted before.

use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::relay::Side;
use crate::watch::metrics::labels::{SessionLabel, SideLabel, StateLabels, UpstreamLabel};
use crate::watch::overview::Overview;

/// The gateway at the moment of a scrape.
#[derive(Debug)]
pub(super) struct Scrape {
    pub(super) overview: Overview,
    pub(super) dropped_lines: u64,
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let Overview {
            connections: _,
            held: _,
            waiting,
            routes,
            sessions,
            store_answers,
            held_bytes,
            from_clients,
            from_backends,
            draining,
            upstreams,
        } = &self.overview;
        let mut families = Families(encoder);
        let states = routes.iter().flat_map(|one| {
            let label = |state| StateLabels {
                route: Arc::clone(&one.route),
                state,
            };
            let attached = one.connections - one.held;
            [(label("attached"), attached), (label("held"), one.held)]
        });
        families.gauges(
            "connections",
            "WebSocket connections, with a backend or held without one",
            states,
        )?;
        let label = |state| SessionLabel { state };
        families.gauges(
            "sessions",
            "Clients with sessions, that are there or away",
            [
                (label("attached"), sessions.attached),
                (label("detached"), sessions.detached),
            ],
        )?;
        families.gauge(
            "session_kept_bytes",
            "Bytes of messages that are kept for clients with sessions",
            usize::try_from(sessions.kept_bytes).unwrap_or(usize::MAX),
        )?;
        if let Some(answers) = *store_answers {
            families.gauge(
                "session_store_up",
                "Whether the store of sessions has answered when it was written to last",
                usize::from(answers),
            )?;
        }
        families.gauge(
            "waiting_handshakes",
            "Opening handshakes that wait for a backend",
            *waiting,
        )?;
        families.gauge(
            "held_bytes",
            "Bytes that held clients' messages take",
            *held_bytes,
        )?;
        let sides = |client, backend| {
            let label = |side| SideLabel { side };
            [
                (label(Side::Client), client),
                (label(Side::Backend), backend),
            ]
        };
        families.counters(
            "received_messages",
            "Whole WebSocket messages that came from a side",
            sides(from_clients.messages, from_backends.messages),
        )?;
        families.counters(
            "received_bytes",
            "Bytes of WebSocket frames that came from a side",
            sides(from_clients.bytes, from_backends.bytes),
        )?;
        families.gauge(
            "draining",
            "Whether a drain has begun",
            usize::from(*draining),
        )?;
        let upstream = |name: &String| UpstreamLabel {
            upstream: name.clone(),
        };
        families.gauges(
            "upstream_accepts",
            "Whether an upstream accepted the last time it was tried",
            upstreams
                .iter()
                .map(|state| (upstream(&state.upstream), usize::from(state.accepts))),
        )?;
        families.gauges(
            "upstream_connections",
            "WebSocket connections to an upstream",
            upstreams
                .iter()
                .map(|state| (upstream(&state.upstream), state.connections)),
        )?;
        let help = "Lines of the access log that came too fast to be written";
        families.counter("dropped_lines", help, self.dropped_lines)
    }
}

/// Writes one family after the other.
struct Families<'a>(DescriptorEncoder<'a>);

impl Families<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: usize) -> Result<(), Error> {
        let gauge = ConstGauge::new(value as u64);
        let encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        gauge.encode(encoder)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> Result<(), Error> {
        let counter = ConstCounter::new(value);
        let encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        counter.encode(encoder)
    }

    fn gauges<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, usize)>,
    ) -> Result<(), Error> {
        let mut encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            ConstGauge::new(value as u64).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn counters<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, u64)>,
    ) -> Result<(), Error> {
        let mut encoder = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            ConstCounter::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
