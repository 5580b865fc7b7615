//! A gateway for WebSocket backends: clients stay while the backend behind them restarts.
//!
//! A request comes in at the front and takes a route, to a service of the program that embeds the
//! gateway ([`LocalService`]) or to a backend. Plain HTTP passes through; a WebSocket handshake is answered
//! as the backend answers it, and then a task per client moves bytes between the two sockets: it
//! forwards frames, keeps both sides alive, and decides what follows when the backend is gone.
//! `docs/gateway.md` of the repository says what operators see of it.

mod admin;
pub mod config;
mod connection;
mod front;
mod gateway;
mod relay;
mod rules;
#[cfg(test)]
mod tests;
mod upstream;
mod watch;

pub use admin::{
    Admin, AdminListener, ConnectionLine, DrainAs, DrainLine, EndWith, EndingLine,
    HEADER as ADMIN_HEADER, Problem, StatusLine, Unbound, UnixSocket,
};
pub use config::{AdminAddr, InvalidAdminAddr};
pub use connection::ClientLimits;
pub use front::{Destination, LocalService, RouteSettings, Settings, taken_over};
pub use gateway::{Gateway, Reloaded};
pub use relay::{Ended, Goodbye, HoldCause, RedialFailure, Side};
pub use rules::{Mode, Rules};
pub use upstream::{
    Check, InvalidTarget, PoolSettings, Socket, Target, Thresholds, UpstreamState, UpstreamTls,
};
pub use watch::{
    AccessLog, Exchange, Format, Handle, Json, Limit, Lines, LoggedRequest, Logs, Observer,
    Operations, Overview, Record, Sum, Traffic, Unobserved,
};
