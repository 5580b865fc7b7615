//! The arguments of `connect`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;
use clap::builder::NonEmptyStringValueParser;

use crate::args::values::{self, PolicyChoice};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Messages go to stdout, everything else to stderr. After an ending it comes back as the policy
decides; lines wait meanwhile. The end of stdin sends what is left, closes with 1000 and prints
until the peer's Close; so do Ctrl-C and SIGTERM, without waiting for a connection. A second one
ends the program at once.

Durations have a unit: 400ms, 20s, 5m.

Examples:
  revoir connect ws://127.0.0.1:9000
  echo hello | revoir connect ws://127.0.0.1:9000
  revoir connect wss://example.com/chat --header \"Authorization: Bearer abc\" --json
  revoir connect wss://localhost:9000 --ca ca.pem --send hello")]
pub(crate) struct ConnectArgs {
    /// Where to: ws:// or wss://, a host, and optionally port, path and query
    #[arg(value_hint = ValueHint::Url, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) url: String,
    /// Send this text, then close with 1000; may be repeated. Stdin is not read
    #[arg(long, value_name = "TEXT", value_hint = ValueHint::Other)]
    pub(crate) send: Vec<String>,
    /// Send a header field, such as `Authorization: Bearer abc`; may be repeated
    #[arg(short = 'H', long, value_name = "NAME: VALUE", value_hint = ValueHint::Other, value_parser = values::Unrepeated(values::header))]
    pub(crate) header: Vec<(String, String)>,
    /// Offer a subprotocol; may be repeated, the preferred one first
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) subprotocol: Vec<String>,
    /// Send an Origin, as a browser would
    #[arg(long, value_hint = ValueHint::Url)]
    pub(crate) origin: Option<String>,
    /// Accept any certificate: anyone on the way can read and change everything
    #[arg(long, conflicts_with = "ca")]
    pub(crate) insecure: bool,
    /// Trust only the certificates in this file (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca: Option<PathBuf>,
    /// The longest message to accept, in bytes; default 16 MiB
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_message: Option<usize>,
    /// Offer permessage-deflate
    #[arg(long)]
    pub(crate) deflate: bool,
    /// Ping after this much silence either way; default 20s, 0 for never
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) ping_interval: Option<Duration>,
    /// Whether and when to come back: default, registered (5-30 s after 1012), or a file as of
    /// docs/policy.md
    #[arg(long, value_name = "default|registered|FILE", default_value = "default", value_hint = ValueHint::FilePath)]
    pub(crate) policy: PolicyChoice,
    /// Give up after so many attempts in a row
    #[arg(long, value_name = "N")]
    pub(crate) max_attempts: Option<u32>,
    /// Do not come back: the first ending is the last
    #[arg(long, conflicts_with_all = ["policy", "max_attempts"])]
    pub(crate) no_reconnect: bool,
}
