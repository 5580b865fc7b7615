//! The arguments of `listen`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;

use crate::args::values::{self, CloseWith};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
It prints what happens, a line for each opening, message and ending. SIGTERM and Ctrl-C close every
connection with 1001, or with 1012 after --restart, and print how they ended.

Durations have a unit: 400ms, 20s, 5m.

Examples:
  revoir listen --echo
  revoir listen 127.0.0.1:0 --json
  revoir listen --close 1012:restart
  revoir listen --tls-cert cert.pem --tls-key key.pem --origin https://page.example")]
pub(crate) struct ListenArgs {
    /// Where to listen; port 0 picks a free one
    #[arg(value_name = "ADDR", default_value = "127.0.0.1:9000", value_hint = ValueHint::Other)]
    pub(crate) address: String,
    /// Send every message back
    #[arg(long)]
    pub(crate) echo: bool,
    /// Close with this code after the first message, such as 1012 or 4001:bye
    #[arg(long, value_name = "CODE[:REASON]", value_hint = ValueHint::Other, value_parser = values::close_with)]
    pub(crate) close: Option<CloseWith>,
    /// Close so long after the opening instead, with the code of --close
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration, requires = "close")]
    pub(crate) close_after: Option<Duration>,
    /// The longest message to accept, in bytes; default 1 MiB
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_message: Option<usize>,
    /// Accept permessage-deflate
    #[arg(long)]
    pub(crate) deflate: bool,
    /// Speak a subprotocol; may be repeated, the preferred one first
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) subprotocol: Vec<String>,
    /// Let in pages of this origin, beside those of the same host; `*` lets in all; may be repeated
    #[arg(long, value_hint = ValueHint::Url)]
    pub(crate) origin: Vec<String>,
    /// Speak TLS with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of the certificate (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Ping after this much silence either way; default 20s, 0 for never
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) ping_interval: Option<Duration>,
    /// Close with 1001 when no message came or went for so long
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) idle_timeout: Option<Duration>,
    /// When asked to stop, be done within this
    #[arg(long, value_name = "DURATION", default_value = "10s", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) drain: Duration,
    /// When asked to stop, say that a successor is coming: 1012 instead of 1001
    #[arg(long)]
    pub(crate) restart: bool,
}
