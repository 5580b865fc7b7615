//! What metrics are told apart by. Every label has a bounded set of values, whatever peers send.

use std::fmt::{Error, Write};
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use revoir_proto::CloseCode;

use crate::relay::Side;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct EndingLabels {
    pub(super) route: Arc<str>,
    pub(super) side: Side,
    pub(super) code: Code,
    pub(super) cause: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct SideLabel {
    pub(super) side: Side,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct HandshakeLabels {
    pub(super) route: Arc<str>,
    pub(super) side: Side,
}

/// The configured routes, and an empty label for requests that no route is for: nobody else can
/// make it grow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OpenedLabels {
    pub(super) route: Arc<str>,
    pub(super) mode: &'static str,
    pub(super) by: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct HoldLabels {
    pub(super) route: Arc<str>,
    pub(super) why: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct SessionLabel {
    pub(super) state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct VerdictLabels {
    pub(super) route: Arc<str>,
    pub(super) verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabels {
    pub(super) route: Arc<str>,
    pub(super) outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RedialLabels {
    pub(super) route: Arc<str>,
    pub(super) result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct LimitLabel {
    pub(super) limit: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct SoftwareLabel {
    pub(super) software: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct UpstreamLabel {
    pub(super) upstream: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StateLabels {
    pub(super) route: Arc<str>,
    pub(super) state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StatusLabels {
    pub(super) route: Arc<str>,
    pub(super) status: Status,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct VersionLabel {
    pub(super) version: &'static str,
}

/// A close code: a registered one by its number, others by their thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Code {
    Registered(u16),
    Thousand(u16),
}

/// The status of an answer. One that is not standard is counted as its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Status {
    Exact(u16),
    Class(u16),
}

impl From<CloseCode> for Code {
    fn from(code: CloseCode) -> Self {
        match CloseCode::registered().any(|registered| registered == code) {
            true => Self::Registered(code.get()),
            false => Self::Thousand(code.get() / 1000),
        }
    }
}

impl From<u16> for Status {
    fn from(status: u16) -> Self {
        let named = hyper::StatusCode::from_u16(status);
        match named.is_ok_and(|status| status.canonical_reason().is_some()) {
            true => Self::Exact(status),
            false => Self::Class(status / 100),
        }
    }
}

impl EncodeLabelValue for Side {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), Error> {
        encoder.write_str(match self {
            Self::Client => "client",
            Self::Backend => "backend",
        })
    }
}

impl EncodeLabelValue for Code {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), Error> {
        match self {
            Self::Registered(number) => write!(encoder, "{number}"),
            Self::Thousand(thousand) => write!(encoder, "{thousand}xxx"),
        }
    }
}

impl EncodeLabelValue for Status {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), Error> {
        match self {
            Self::Exact(status) => write!(encoder, "{status}"),
            Self::Class(class) => write!(encoder, "{class}xx"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_peer_can_make_the_labels_grow() {
        let codes: HashSet<_> = (0..=u16::MAX)
            .map(|n| Code::from(CloseCode::new(n)))
            .collect();
        assert!(codes.len() < 100, "{}", codes.len());
        assert_eq!(Code::from(CloseCode::new(1012)), Code::Registered(1012));
        assert_eq!(Code::from(CloseCode::new(4321)), Code::Thousand(4));
        let statuses: HashSet<_> = (100..1000).map(Status::from).collect();
        assert!(statuses.len() < 80, "{}", statuses.len());
        assert_eq!(Status::from(503), Status::Exact(503));
        assert_eq!(Status::from(599), Status::Class(5));
    }
}
