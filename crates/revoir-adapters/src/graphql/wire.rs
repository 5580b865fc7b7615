//! The messages of both GraphQL protocols.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::graphql::document::is_subscription;

/// Which of the two protocols is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `graphql-transport-ws`.
    TransportWs,
    /// `graphql-ws`, the older one.
    Ws,
}

/// A message, as far as an adapter has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    Init,
    Ack,
    Refused,
    /// An operation begins.
    Start {
        id: Cow<'a, str>,
        is_subscription: bool,
    },
    /// An operation is over, whoever says so.
    Over {
        id: Cow<'a, str>,
    },
    /// A result.
    Data,
    Ping,
    Pong,
    /// The older protocol's heartbeat.
    KeepAlive,
    /// The client leaves.
    Terminate,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow)]
    query: Option<Cow<'a, str>>,
    #[serde(borrow)]
    operation_name: Option<Cow<'a, str>>,
}

impl<'a> Said<'a> {
    /// `None` if that is no message of `dialect`.
    pub(super) fn parse(dialect: Dialect, text: &'a [u8]) -> Option<Self> {
        let Envelope { kind, id, payload } = serde_json::from_slice(text).ok()?;
        Some(match (dialect, &*kind) {
            (_, "connection_init") => Self::Init,
            (_, "connection_ack") => Self::Ack,
            (Dialect::TransportWs, "subscribe") | (Dialect::Ws, "start") => Self::Start {
                id: id?,
                is_subscription: payload.is_some_and(begins_subscription),
            },
            (Dialect::TransportWs, "next") | (Dialect::Ws, "data") => Self::Data,
            (_, "error" | "complete") | (Dialect::Ws, "stop") => Self::Over { id: id? },
            (Dialect::TransportWs, "ping") => Self::Ping,
            (Dialect::TransportWs, "pong") => Self::Pong,
            (Dialect::Ws, "connection_error") => Self::Refused,
            (Dialect::Ws, "ka") => Self::KeepAlive,
            (Dialect::Ws, "connection_terminate") => Self::Terminate,
            _ => return None,
        })
    }
}

fn begins_subscription(payload: &RawValue) -> bool {
    let Ok(request) = serde_json::from_str::<Request<'_>>(payload.get()) else {
        return false;
    };
    let name = request.operation_name.as_deref();
    request
        .query
        // Both servers take an empty name for none.
        .is_some_and(|query| is_subscription(&query, name.filter(|name| !name.is_empty())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_dialect_has_its_own_words() {
        let parse = |dialect, text: &'static str| Said::parse(dialect, text.as_bytes());
        let start = Said::Start {
            id: "1".into(),
            is_subscription: true,
        };
        let subscribe = r#"{"id":"1","type":"subscribe","payload":{"query":"subscription{a}"}}"#;
        assert_eq!(parse(Dialect::TransportWs, subscribe), Some(start.clone()));
        assert_eq!(parse(Dialect::Ws, subscribe), None);
        let old = r#"{"id":"1","type":"start","payload":{"query":"subscription{a}","variables":{},"operationName":""}}"#;
        assert_eq!(parse(Dialect::Ws, old), Some(start));
        assert_eq!(parse(Dialect::TransportWs, old), None);
        let over = Some(Said::Over { id: "1".into() });
        for dialect in [Dialect::TransportWs, Dialect::Ws] {
            assert_eq!(parse(dialect, r#"{"type":"complete","id":"1"}"#), over);
            assert_eq!(parse(dialect, r#"{"type":"complete"}"#), None);
            assert_eq!(parse(dialect, r#"{"type":"hello"}"#), None);
            assert_eq!(parse(dialect, "hello"), None);
        }
        assert_eq!(
            parse(Dialect::Ws, r#"{"type":"ka"}"#),
            Some(Said::KeepAlive)
        );
    }

    #[test]
    fn a_request_without_a_document_is_no_subscription() {
        let text = br#"{"id":"1","type":"subscribe","payload":{"query":"","extensions":{"persistedQuery":{}}}}"#;
        let Some(Said::Start {
            is_subscription, ..
        }) = Said::parse(Dialect::TransportWs, text)
        else {
            panic!("no start");
        };
        assert!(!is_subscription);
    }
}
