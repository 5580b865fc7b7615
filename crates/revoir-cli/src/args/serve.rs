//! The arguments of `serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;

use crate::args::site::base_url;
use crate::args::{AdminArgs, values};
use revoir_gateway::{ListenAddr, Mode, Target};

/// What a route does with its connections.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum RouteMode {
    /// Hold the clients whose backend or protocol says that they may be held, and tunnel all others
    Auto,
    /// Forward frames, and translate endings
    Tunnel,
    /// Hold the clients while the backend is away
    Hold,
}

impl From<RouteMode> for Mode {
    fn from(mode: RouteMode) -> Self {
        match mode {
            RouteMode::Auto => Self::Auto,
            RouteMode::Tunnel => Self::Tunnel,
            RouteMode::Hold => Self::Hold,
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
SIGTERM and Ctrl-C close every connection with 1001, or with 1012 if --restart is given, and wait for the \
replies. SIGHUP reloads the file and the certificates and keeps connections; changes that need a restart are \
named. Durations have a unit: 400ms, 20s, 5m.

Examples:
  revoir serve
  revoir serve --upstream ws://127.0.0.1:9000
  revoir serve --listen 0.0.0.0:80 --upstream unix:/run/backend.sock
  revoir serve --config revoir.toml --check-config")]
pub(crate) struct ServeArgs {
    /// Configuration file; the options below override it. See docs/gateway.md
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Print the effective configuration, including defaults, and exit
    #[arg(long)]
    pub(crate) check_config: bool,
    /// Address or unix:PATH to listen on; may be repeated [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_hint = ValueHint::Other)]
    pub(crate) listen: Vec<ListenAddr>,
    /// The backend: ws:// or wss://, a host, and optionally a port, or unix:PATH. It replaces all
    /// configured routes. Without a backend, the close code reference is served
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = Target::parse)]
    pub(crate) upstream: Option<Target>,
    /// What to do with WebSocket connections
    #[arg(long, value_enum, value_name = "MODE", requires = "upstream", default_value_t = RouteMode::Auto)]
    pub(crate) route_mode: RouteMode,
    /// URL by which the reference is known; adds a sitemap, previews and absolute canonical links
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = base_url)]
    pub(crate) base_url: Option<String>,
    /// Also serve the lab, under /lab
    #[arg(long)]
    pub(crate) lab: bool,
    /// Use TLS with this certificate chain (PEM); SIGHUP reloads it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Time limit for the drain on shutdown [default: 10s]
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) drain: Option<Duration>,
    /// On shutdown, close with 1012 and a slot instead of 1001, because a successor is coming
    #[arg(long)]
    pub(crate) restart: bool,
    #[command(flatten)]
    pub(crate) operation: AdminArgs,
}
