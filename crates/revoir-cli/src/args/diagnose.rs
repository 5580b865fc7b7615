//! The arguments of `diagnose`.

use clap::ValueHint;
use clap::builder::NonEmptyStringValueParser;

use crate::args::{EvidenceArgs, LiveArgs};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without a URL, say what you know with the options below. With one, it is added to what the test finds.

Examples:
  revoir diagnose wss://example.com/ws
  revoir diagnose wss://example.com/ws --hold 400s
  revoir diagnose --code 1006 --opened yes --idle 60.1
  revoir diagnose --console \"failed: Invalid frame header\" --lang fr")]
pub(crate) struct DiagnoseArgs {
    /// The URL to test: ws:// or wss://, a host, and optionally port, path and query
    #[arg(value_hint = ValueHint::Url, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) evidence: EvidenceArgs,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}
