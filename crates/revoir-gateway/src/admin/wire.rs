//! What the admin interface says and takes, as JSON. The fields are API: docs/json.md lists them,
//! and a test compares.

use std::fmt;
use std::time::Duration;

use revoir::session::Watcher;
use serde::{Deserialize, Serialize};

use crate::relay::Side;
use crate::upstream::UpstreamState;
use crate::watch::{Handle, Sum};

/// One connection that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectionLine {
    /// As in Revoir-Conn.
    pub id: String,
    /// Address and port of the other end.
    pub peer: String,
    /// The Host that was asked for.
    pub host: Option<String>,
    /// Without the query.
    pub path: String,
    /// Whether there was a query.
    pub query: bool,
    /// As the client says.
    pub user_agent: Option<String>,
    /// What both sides agreed on.
    pub subprotocol: Option<String>,
    /// Host and port of the last backend.
    pub upstream: String,
    /// `hold` or `tunnel`.
    pub mode: String,
    /// Who or what decided that.
    pub mode_by: String,
    /// The same as a sentence.
    pub mode_reason: String,
    /// For how long it has been open.
    pub age_ms: u64,
    /// For how long neither side has sent a byte.
    pub idle_ms: u64,
    /// For how long it is held; `None`: it has a backend.
    pub held_ms: Option<u64>,
    /// For how long its backend has shown no sign of life since it was taken for silent; `None`: it is not.
    pub silent_ms: Option<u64>,
    /// What came from the client.
    pub from_client: Sum,
    /// What came from its backends.
    pub from_backend: Sum,
    /// The last round trip of a ping to the client.
    pub client_rtt_ms: Option<f64>,
    /// The last round trip of a ping to the backend.
    pub backend_rtt_ms: Option<f64>,
    /// Its session; `None`: it has none.
    pub session: Option<SessionLine>,
}

/// The session of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLine {
    /// Which one, in hexadecimal.
    pub id: String,
    /// Whether the client is there.
    pub attached: bool,
    /// How many connections it has had.
    pub connections: u64,
    /// Whether it is in this process only, since its store is away.
    #[serde(default)]
    pub volatile: bool,
    /// Messages that are kept until the client has them.
    pub kept_messages: usize,
    /// Their bytes.
    pub kept_bytes: u64,
}

/// How the gateway stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusLine {
    /// Of this program.
    pub version: String,
    /// The process.
    pub pid: u32,
    /// Since its start.
    pub uptime_ms: u64,
    /// Whether a drain has begun.
    pub draining: bool,
    /// WebSocket connections, held ones among them.
    pub connections: usize,
    /// Clients without a backend.
    pub held: usize,
    /// Bytes that wait for a backend.
    pub held_bytes: usize,
    /// What came from clients so far.
    pub from_clients: Sum,
    /// What came from backends so far.
    pub from_backends: Sum,
    /// Each upstream once.
    pub upstreams: Vec<UpstreamState>,
    /// Lines of the log that came too fast.
    pub dropped_lines: u64,
}

/// With what a connection is to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndWith {
    /// One that a server may send.
    pub code: u16,
    /// At most 123 bytes.
    #[serde(default)]
    pub reason: String,
}

/// A connection that was told to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndingLine {
    /// As in Revoir-Conn.
    pub id: String,
    /// What it is closed with.
    pub code: u16,
    /// The reason beside it.
    pub reason: String,
}

/// How the gateway is to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrainAs {
    /// Whether a successor is coming. `None`: as `serve` was told.
    #[serde(default)]
    pub restart: Option<bool>,
}

/// A drain that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainLine {
    /// Those that are to be closed.
    pub connections: usize,
}

/// What came of a reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadLine {
    /// Routes that are as before.
    pub kept: usize,
    /// Routes whose rules or upstreams are others now.
    pub changed: usize,
    /// Routes that are new.
    pub begun: usize,
    /// Connections whose upstream was removed: they get another one, or a time to leave.
    pub moved: usize,
    /// Connections that are closed with 1012, each with a slot: their route is no more.
    pub drained: usize,
    /// Keys that are not as before, and that only a restart takes over.
    pub needs_restart: Vec<String>,
}

impl fmt::Display for ReloadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kept,
            changed,
            begun,
            moved,
            drained,
            needs_restart,
        } = self;
        let plural = |count: &usize| if *count == 1 { "" } else { "s" };
        write!(
            f,
            "reloaded: {kept} route{} as before, {changed} changed, {begun} new; {moved} connection{} \
             to move, {drained} to come back",
            plural(kept),
            plural(moved)
        )?;
        if !needs_restart.is_empty() {
            write!(f, "; a restart is needed for {}", needs_restart.join(", "))?;
        }
        Ok(())
    }
}

/// Why there is no answer, and what would have one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong.
    pub error: String,
    /// What to do about it.
    pub hint: String,
}

impl ConnectionLine {
    /// `now` in the gateway's time.
    pub(super) fn new(handle: &Handle, now: Duration) -> Self {
        let (asked, traffic) = (&handle.request, &handle.traffic);
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let rtt = |side| Some(traffic.rtt(side)?.as_secs_f64() * 1000.0);
        let last = traffic.last().max(handle.opened);
        let (held, silent) = (traffic.held_since(), traffic.silent_since());
        Self {
            id: handle.name.to_string(),
            peer: asked.peer.to_string(),
            host: text(&asked.host),
            path: asked.path.to_string(),
            query: asked.has_query,
            user_agent: text(&asked.user_agent),
            subprotocol: text(&handle.agreement.subprotocol),
            upstream: handle.upstream().to_string(),
            mode: handle.treatment().id().to_owned(),
            mode_by: handle.treatment().by().to_owned(),
            mode_reason: handle.treatment().to_string(),
            age_ms: milliseconds(now.saturating_sub(handle.opened)),
            idle_ms: milliseconds(now.saturating_sub(last)),
            held_ms: held.map(|since| milliseconds(now.saturating_sub(since))),
            silent_ms: silent.map(|since| milliseconds(now.saturating_sub(since))),
            from_client: traffic.sum(Side::Client),
            from_backend: traffic.sum(Side::Backend),
            client_rtt_ms: rtt(Side::Client),
            backend_rtt_ms: rtt(Side::Backend),
            session: handle.session().map(SessionLine::new),
        }
    }
}

impl SessionLine {
    fn new(session: &Watcher) -> Self {
        let status = session.status();
        Self {
            id: status.session.to_string(),
            attached: status.is_attached,
            connections: status.generation,
            volatile: status.is_volatile,
            kept_messages: status.kept_messages,
            kept_bytes: status.kept_bytes,
        }
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
