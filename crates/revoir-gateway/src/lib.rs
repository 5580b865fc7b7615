//! A gateway for WebSocket backends: clients stay while the backend behind them restarts.
//!
//! A request comes in at the front and takes a route, to a service of the program that embeds the
//! gateway ([`LocalService`]) or to a backend. Plain HTTP passes through; a WebSocket handshake is answered
//! as the backend answers it, and then a task per client moves bytes between the two sockets: it
//! forwards frames, keeps both sides alive, and decides what follows when the backend is gone.
//! `docs/gateway.md` of the repository says what operators see of it.
//!
//! [`Gateway::from_config`] and [`Gateway::run`] are all it takes:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use revoir_gateway::{Gateway, LocalService, Unobserved, config};
//!
//! let config = config::parse("[[route]]\nupstreams = ['ws://127.0.0.1:9000']")?;
//! let service = LocalService::new(axum::Router::new());
//! let gateway = Gateway::from_config(&config, &service, Arc::new(Unobserved))?;
//! gateway.run(&config).await?;
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here prints, exits or reads arguments. Logs go to `tracing` with the target `revoir`;
//! requests, connections and endings to an [`Observer`].

mod admin;
mod client_rate;
pub mod config;
mod connection;
mod file_limit;
mod front;
mod gateway;
mod innermost;
mod net;
pub mod proxy_protocol;
mod relay;
mod rules;
mod run;
mod session;
mod shortage;
#[cfg(test)]
mod tests;
mod treatment;
mod upstream;
mod watch;

pub use admin::{
    Admin, AdminListener, ConnectionLine, DrainAs, DrainLine, EndWith, EndingLine,
    HEADER as ADMIN_HEADER, OperatorRequest, OperatorRequests, Problem, ReloadLine, ReloadRequest,
    SessionLine, StatusLine,
};
pub use client_rate::ClientRate;
pub use config::{AdminAddr, InvalidAdminAddr};
pub use connection::ClientLimits;
pub use file_limit::FileLimit;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use front::fuzzed;
pub use front::{
    AuthSettings, Destination, HttpTimes, LocalService, ProxyProtocol, RouteSettings, Settings,
    taken_over,
};
pub use gateway::{Gateway, Reloaded};
#[cfg(unix)]
pub use net::UnixSocket;
pub use net::{InvalidListenAddr, ListenAddr, Listener, Peer, Peers, Socket};
pub use relay::{Ended, Goodbye, HoldCause, RedialFailure, Side};
pub use rules::{Mode, ProtocolRule, Rules};
pub use run::StartError;
pub use session::{CallbackSettings, PrincipalOf, SessionSettings};
pub use treatment::{HeldBy, Treatment, TunnelCause};
pub use upstream::{
    BadAnswers, Balance, Check, Connecting, HashKey, InvalidBalance, InvalidTarget, KeepAlive,
    MaybeTls, NameTimes, Pauses, Place, PoolSettings, Redials, Target, Thresholds, UpstreamState,
    UpstreamTls, Weights,
};
pub use watch::line as json_line;
pub use watch::{
    AccessLog, AuthFailure, Exchange, Format, Handle, Json, Limit, Lines, LoggedRequest, Logs,
    Observer, Operations, Overview, Record, RouteState, SessionsState, Sum, Traffic, Unobserved,
};

/// The examples of the README are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
