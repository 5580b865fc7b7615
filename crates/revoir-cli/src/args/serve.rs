//! The arguments of `serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;

use crate::args::{AdminArgs, values};
use revoir_gateway::{ListenAddr, Mode, Target};

/// What a route does with its connections.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum RouteMode {
    /// Frames pass; an ending is translated
    Tunnel,
    /// Clients stay while the backend is away
    Hold,
}

impl From<RouteMode> for Mode {
    fn from(mode: RouteMode) -> Self {
        match mode {
            RouteMode::Tunnel => Self::Tunnel,
            RouteMode::Hold => Self::Hold,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
SIGTERM and Ctrl-C close every connection with 1001, or with 1012 under --restart, and wait for the
answers. SIGHUP reads the file and the certificates again and keeps connections; what needs a restart
is said. Durations have a unit: 400ms, 20s, 5m.

Examples:
  revoir serve
  revoir serve --upstream ws://127.0.0.1:9000
  revoir serve --listen 0.0.0.0:8080 --upstream ws://127.0.0.1:9000 --route-mode tunnel
  revoir serve --config revoir.toml --check-config")]
pub(crate) struct ServeArgs {
    /// A file that says everything; the flags below go before it. See docs/gateway.md
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Print what was understood, each default too, and do nothing
    #[arg(long)]
    pub(crate) check_config: bool,
    /// An address or unix:PATH to listen on; may be given several times [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_hint = ValueHint::Other)]
    pub(crate) listen: Vec<ListenAddr>,
    /// The backend to stand before: ws:// or wss://, a host, and optionally a port, or unix:PATH. It
    /// takes the place of all routes. Without any, the reference about close codes is served
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = Target::parse)]
    pub(crate) upstream: Option<Target>,
    /// What to do with WebSocket connections
    #[arg(long, value_enum, value_name = "MODE", requires = "upstream", default_value_t = RouteMode::Hold)]
    pub(crate) route_mode: RouteMode,
    /// Serve the lab beside the backend, under /lab
    #[arg(long)]
    pub(crate) lab: bool,
    /// Speak TLS with this certificate chain (PEM); SIGHUP has it read again
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of the certificate (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// How long the end may take [default: 10s]
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) drain: Option<Duration>,
    /// A successor is coming: close with 1012 and a slot, instead of 1001
    #[arg(long)]
    pub(crate) restart: bool,
    #[command(flatten)]
    pub(crate) operation: AdminArgs,
}
