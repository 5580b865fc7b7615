//! The arguments of `serve` for its operator.

use std::net::SocketAddr;

use clap::ValueHint;

use crate::args::number;
use revoir_gateway::config::{LogFormat, LogLevel};
use revoir_gateway::{AdminAddr, Logs};

/// What is logged.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Logged {
    /// WebSocket connections and all other requests
    All,
    /// WebSocket connections, and requests that asked for one
    Connections,
    /// Nothing
    None,
}

impl From<Logged> for Logs {
    fn from(logged: Logged) -> Self {
        match logged {
            Logged::All => Self::All,
            Logged::Connections => Self::Connections,
            Logged::None => Self::None,
        }
    }
}

/// From which level on something is written to stderr.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum LoggedLevel {
    /// Nothing
    Off,
    /// What keeps clients out
    Error,
    /// What an operator should look at
    Warn,
    /// What changes
    Info,
    /// What happens to single connections
    Debug,
}

impl From<LoggedLevel> for LogLevel {
    fn from(level: LoggedLevel) -> Self {
        match level {
            LoggedLevel::Off => Self::Off,
            LoggedLevel::Error => Self::Error,
            LoggedLevel::Warn => Self::Warn,
            LoggedLevel::Info => Self::Info,
            LoggedLevel::Debug => Self::Debug,
        }
    }
}

/// How stderr is written.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum LoggedAs {
    /// Lines for people
    Text,
    /// One JSON object per line
    Json,
}

impl From<LoggedAs> for LogFormat {
    fn from(format: LoggedAs) -> Self {
        match format {
            LoggedAs::Text => Self::Text,
            LoggedAs::Json => Self::Json,
        }
    }
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Operation")]
pub(crate) struct AdminArgs {
    /// Address where `revoir ctl` controls this process: unix:PATH or ADDR:PORT, on this machine
    /// only [default: a socket in $XDG_RUNTIME_DIR/revoir, or in /run/revoir if that variable is not
    /// set]
    #[arg(long, value_name = "ADDR", value_hint = ValueHint::Other)]
    pub(crate) admin: Option<AdminAddr>,
    /// Another host name accepted for --admin, which may then listen on any address. Anyone who can
    /// reach it can close connections
    #[arg(long, value_name = "HOST", value_hint = ValueHint::Hostname)]
    pub(crate) admin_host: Vec<String>,
    /// Additional address that serves only /metrics, /healthz and /readyz
    #[arg(long, value_name = "ADDR", value_hint = ValueHint::Other, value_parser = number::address)]
    pub(crate) metrics: Option<SocketAddr>,
    /// What to log to stdout, one line each [default: all]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) access_log: Option<Logged>,
    /// Level from which problems are logged to stderr [default: warn]
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) log: Option<LoggedLevel>,
    /// How to write that [default: text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) log_format: Option<LoggedAs>,
}
