//! [`Format`]: an entry of the access log as a line, and [`Json`]. Its fields are API: docs/json.md lists them, and
//! a test compares.

use std::time::{Duration, SystemTime};

use humantime::format_rfc3339_millis;
use revoir::Ending;
use serde::Serialize;

use crate::relay::{Ended, Side};
use crate::watch::exchange::Exchange;
use crate::watch::handle::Record;
use crate::watch::json_line::line;
use crate::watch::request::LoggedRequest;
use crate::watch::traffic::Sum;

/// How entries look as lines. Each ends with a line feed.
pub trait Format {
    /// A connection that is over.
    fn connection(&self, record: &Record) -> String;
    /// A request that did not become a connection.
    fn request(&self, exchange: &Exchange) -> String;
    /// So many lines are missing here.
    fn dropped(&self, lines: u64) -> String;
}

/// One JSON object per line.
#[derive(Clone, Copy, Debug)]
pub struct Json;

impl Format for Json {
    fn connection(&self, record: &Record) -> String {
        line(&ConnectionFields::new(record))
    }

    fn request(&self, exchange: &Exchange) -> String {
        line(&RequestFields::new(exchange))
    }

    fn dropped(&self, lines: u64) -> String {
        line(&DroppedFields {
            event: "dropped",
            time: time(SystemTime::now()),
            lines,
        })
    }
}

#[derive(Serialize)]
struct ConnectionFields<'a> {
    event: &'static str,
    time: String,
    id: &'a str,
    #[serde(flatten)]
    asked: LoggedRequestFields<'a>,
    upstream: String,
    subprotocol: Option<&'a str>,
    extensions: Option<&'a str>,
    mode: &'static str,
    mode_by: &'static str,
    mode_reason: String,
    handshake_ms: u64,
    open_ms: u64,
    holds: u32,
    held_ms: u64,
    backends: u32,
    session_connections: Option<u64>,
    from_client: Sum,
    from_backend: Sum,
    client: Option<&'a Ending>,
    backend: Option<&'a Ending>,
}

#[derive(Serialize)]
struct RequestFields<'a> {
    event: &'static str,
    time: String,
    #[serde(flatten)]
    asked: LoggedRequestFields<'a>,
    method: &'a str,
    websocket: bool,
    status: u16,
    request_bytes: u64,
    response_bytes: u64,
    complete: bool,
    took_ms: u64,
}

#[derive(Serialize)]
struct LoggedRequestFields<'a> {
    peer: String,
    client_ip: Option<String>,
    request_id: Option<&'a str>,
    route: Option<&'a str>,
    host: Option<&'a str>,
    path: &'a str,
    query: bool,
    origin: Option<&'a str>,
    user_agent: Option<&'a str>,
}

#[derive(Serialize)]
struct DroppedFields {
    event: &'static str,
    time: String,
    lines: u64,
}

impl<'a> ConnectionFields<'a> {
    fn new(record: &'a Record) -> Self {
        let handle = &record.handle;
        let ending = |ended: &'a Option<Ended>| {
            let ended = ended.as_ref();
            ended.map(|ended| &ended.ending)
        };
        Self {
            event: "connection",
            time: time(record.at),
            id: &handle.name,
            asked: LoggedRequestFields::new(&handle.request),
            upstream: handle.upstream().to_string(),
            subprotocol: handle.agreement.subprotocol.as_deref(),
            extensions: handle.agreement.extensions.as_deref(),
            mode: handle.treatment().id(),
            mode_by: handle.treatment().by(),
            mode_reason: handle.treatment().to_string(),
            handshake_ms: milliseconds(handle.handshake),
            open_ms: milliseconds(record.open_for),
            holds: record.holds,
            held_ms: milliseconds(record.held),
            backends: record.backends,
            session_connections: handle.session().map(|session| session.status().generation),
            from_client: handle.traffic.sum(Side::Client),
            from_backend: handle.traffic.sum(Side::Backend),
            client: ending(&record.client),
            backend: ending(&record.backend),
        }
    }
}

impl<'a> RequestFields<'a> {
    fn new(exchange: &'a Exchange) -> Self {
        Self {
            event: "request",
            time: time(exchange.at),
            asked: LoggedRequestFields::new(&exchange.request),
            method: &exchange.request.method,
            websocket: exchange.is_handshake,
            status: exchange.status,
            request_bytes: exchange.request_bytes,
            response_bytes: exchange.response_bytes,
            complete: exchange.is_whole,
            took_ms: milliseconds(exchange.took),
        }
    }
}

impl<'a> LoggedRequestFields<'a> {
    fn new(asked: &'a LoggedRequest) -> Self {
        Self {
            peer: asked.peer.to_string(),
            client_ip: asked.client.map(|client| client.to_string()),
            request_id: Some(&*asked.id).filter(|id| !id.is_empty()),
            route: asked.route.as_deref(),
            host: asked.host.as_deref(),
            path: &asked.path,
            query: asked.has_query,
            origin: asked.origin.as_deref(),
            user_agent: asked.user_agent.as_deref(),
        }
    }
}

fn time(at: SystemTime) -> String {
    format_rfc3339_millis(at).to_string()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
