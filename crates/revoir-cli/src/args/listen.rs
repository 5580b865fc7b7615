//! The arguments of `listen`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;

use crate::args::number;
use crate::args::values::{self, CloseWith};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prints one line for each connection opened, message and ending. SIGTERM and Ctrl-C close every
connection with 1001, or with 1012 if --restart is given, and print how the connections ended.

Durations have a unit: 400ms, 20s, 5m.

Examples:
  revoir listen --echo
  revoir listen 127.0.0.1:0 --json
  revoir listen --close 1012:restart
  revoir listen --session --echo
  revoir listen --tls-cert cert.pem --tls-key key.pem --origin https://page.example")]
pub(crate) struct ListenArgs {
    /// Address to listen on; port 0 picks a free port
    #[arg(value_name = "ADDR", default_value = "127.0.0.1:9000", value_hint = ValueHint::Other)]
    pub(crate) address: String,
    /// Send every message back
    #[arg(long)]
    pub(crate) echo: bool,
    /// Close with this code after the first message, such as 1012 or 4001:bye
    #[arg(long, value_name = "CODE[:REASON]", value_hint = ValueHint::Other, value_parser = values::close_with)]
    pub(crate) close: Option<CloseWith>,
    /// Close this long after the connection opens instead, with the code from --close
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration, requires = "close")]
    pub(crate) close_after: Option<Duration>,
    /// Maximum message size to accept, in bytes [default: 1 MiB]
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true, value_parser = number::whole::<usize>("65536"))]
    pub(crate) max_message: Option<usize>,
    /// Accept permessage-deflate
    #[arg(long)]
    pub(crate) deflate: bool,
    /// Keep a session (subprotocol revoir.v1) for each client that offers it: it survives 120 s without a
    /// connection, and loses no message
    #[arg(long)]
    pub(crate) session: bool,
    /// Support a subprotocol; may be repeated, in order of preference
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) subprotocol: Vec<String>,
    /// Also accept pages from this origin, besides the same host; `*` accepts all; may be repeated
    #[arg(long, value_hint = ValueHint::Url)]
    pub(crate) origin: Vec<String>,
    /// Use TLS with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Send a ping after nothing was sent or received for this long [default: 20s; 0 turns pings off]
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) ping_interval: Option<Duration>,
    /// Close with 1001 when no message was sent or received for this long
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) idle_timeout: Option<Duration>,
    /// On shutdown, time limit for closing the connections
    #[arg(long, value_name = "DURATION", default_value = "10s", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) drain: Duration,
    /// On shutdown, close with 1012 instead of 1001, because a successor is coming
    #[arg(long)]
    pub(crate) restart: bool,
}
