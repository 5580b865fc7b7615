//! The arguments of `connect`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;
use clap::builder::NonEmptyStringValueParser;

use crate::args::number;
use crate::args::values::{self, PolicyChoice};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Messages go to stdout, everything else to stderr. When the connection ends, the policy decides
whether and when to reconnect; lines from stdin wait until then. At the end of stdin, the program
sends what is left, closes with 1000 and prints messages until the peer's Close frame. Ctrl-C and
SIGTERM do the same without waiting for a connection; a second one exits immediately.

Durations have a unit: 400ms, 20s, 5m.

Examples:
  revoir connect ws://127.0.0.1:9000
  echo hello | revoir connect ws://127.0.0.1:9000
  revoir connect wss://example.com/chat --header \"Authorization: Bearer abc\" --json
  revoir connect ws://127.0.0.1:9000 --session
  revoir connect wss://localhost:9000 --ca ca.pem --send hello")]
pub(crate) struct ConnectArgs {
    /// The URL to connect to: ws:// or wss://, a host, and optionally port, path and query
    #[arg(value_hint = ValueHint::Url, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) url: String,
    /// Send this text, then close with 1000; may be repeated. Stdin is ignored
    #[arg(long, value_name = "TEXT", value_hint = ValueHint::Other)]
    pub(crate) send: Vec<String>,
    /// Send a header field, such as `Authorization: Bearer abc`; may be repeated
    #[arg(short = 'H', long, value_name = "NAME: VALUE", value_hint = ValueHint::Other, value_parser = values::Unrepeated(values::header))]
    pub(crate) header: Vec<(String, String)>,
    /// Offer a subprotocol; may be repeated, in order of preference
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) subprotocol: Vec<String>,
    /// Use a session (subprotocol revoir.v1), which the server keeps while there is no connection: no message
    /// is lost or arrives twice. --subprotocol is then negotiated inside the session
    #[arg(long, conflicts_with = "deflate")]
    pub(crate) session: bool,
    /// Send an Origin header, as a browser would
    #[arg(long, value_hint = ValueHint::Url)]
    pub(crate) origin: Option<String>,
    /// Accept any certificate. Anyone on the network path can then read and change the traffic
    #[arg(long, conflicts_with = "ca")]
    pub(crate) insecure: bool,
    /// Trust only the certificates in this file (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca: Option<PathBuf>,
    /// Use this proxy: http://, https:// or socks5h://, with user:password@ before the host if it requires
    /// them. `none` uses no proxy [default: from http_proxy, https_proxy, all_proxy and no_proxy]
    #[arg(long, value_name = "URL|none", value_hint = ValueHint::Url, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) proxy: Option<String>,
    /// Maximum message size to accept, in bytes [default: 16 MiB]
    #[arg(long, value_name = "BYTES", allow_negative_numbers = true, value_parser = number::whole::<usize>("65536"))]
    pub(crate) max_message: Option<usize>,
    /// Offer permessage-deflate
    #[arg(long)]
    pub(crate) deflate: bool,
    /// Send a ping after nothing was sent or received for this long [default: 20s; 0 turns pings off]
    #[arg(long, value_name = "DURATION", value_hint = ValueHint::Other, value_parser = values::duration)]
    pub(crate) ping_interval: Option<Duration>,
    /// Whether and when to reconnect: default, registered (5-30 s after 1012), or a policy file as
    /// described in docs/policy.md
    #[arg(long, value_name = "default|registered|FILE", default_value = "default", value_hint = ValueHint::FilePath)]
    pub(crate) policy: PolicyChoice,
    /// Stop after this many attempts in a row
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = number::whole::<u32>("5"))]
    pub(crate) max_attempts: Option<u32>,
    /// Do not reconnect after the connection ends
    #[arg(long, conflicts_with_all = ["policy", "max_attempts"])]
    pub(crate) no_reconnect: bool,
}
