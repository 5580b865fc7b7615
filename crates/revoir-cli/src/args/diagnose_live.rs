//! The arguments of `diagnose` that have to do with a URL.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueHint;
use clap::builder::NonEmptyStringValueParser;

use crate::args::values;

/// What to ask the endpoint, and how far to go.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Testing a URL")]
pub(crate) struct LiveArgs {
    /// Send a header field, such as `Authorization: Bearer abc`; may be repeated
    #[arg(short = 'H', long, value_name = "NAME: VALUE", requires = "url", value_hint = ValueHint::Other, value_parser = values::Unrepeated(values::header))]
    pub(crate) header: Vec<(String, String)>,
    /// Send a cookie; may be repeated
    #[arg(long, value_name = "NAME=VALUE", requires = "url", value_hint = ValueHint::Other, value_parser = values::Unrepeated(values::cookie))]
    pub(crate) cookie: Vec<String>,
    /// Offer a subprotocol; may be repeated, in order of preference
    #[arg(long, value_name = "NAME", requires = "url", value_hint = ValueHint::Other)]
    pub(crate) subprotocol: Vec<String>,
    /// Send an Origin header, as a browser would
    #[arg(long, requires = "url", value_hint = ValueHint::Url)]
    pub(crate) origin: Option<String>,
    /// Report what is wrong with the server's certificate, and continue. Anyone on the network path
    /// can then read and change the traffic
    #[arg(long, requires = "url", conflicts_with = "ca")]
    pub(crate) insecure: bool,
    /// Trust only the certificates in this file (PEM)
    #[arg(long, value_name = "FILE", requires = "url", value_hint = ValueHint::FilePath)]
    pub(crate) ca: Option<PathBuf>,
    /// Go through this proxy: http://, https:// or socks5h://, with user:password@ before the host if it
    /// asks for them. It resolves the name, so only the server behind it is looked at. `none`: use no proxy
    /// [default: as http_proxy, https_proxy, all_proxy and no_proxy say]
    #[arg(long, value_name = "URL|none", requires = "url", value_hint = ValueHint::Url, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) proxy: Option<String>,
    /// Do only what a page could do, and say what a browser would have hidden. The page's origin is
    /// --origin, or else the URL's own host
    #[arg(long, requires = "url", conflicts_with = "header")]
    pub(crate) browser: bool,
    /// Also send messages of 64 KiB and 1 MiB
    #[arg(long, requires = "url")]
    pub(crate) probe_sizes: bool,
    /// Also keep two connections open for this long, one idle and one with pings. Ctrl-C stops early
    #[arg(long, value_name = "DURATION", requires = "url", value_hint = ValueHint::Other, value_parser = values::some_duration)]
    pub(crate) hold: Option<Duration>,
    /// Timeout for each address, handshake, ping and response [default: 5s]
    #[arg(long, value_name = "DURATION", default_value = "5s", hide_default_value = true, requires = "url", value_hint = ValueHint::Other, value_parser = values::some_duration)]
    pub(crate) step_timeout: Duration,
}
