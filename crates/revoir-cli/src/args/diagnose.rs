//! The arguments of `diagnose`.

use clap::ValueHint;
use clap::builder::NonEmptyStringValueParser;

use crate::args::LiveArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct DiagnoseArgs {
    /// Where to look: ws:// or wss://, a host, and optionally port, path and query
    #[arg(value_hint = ValueHint::Url, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}
