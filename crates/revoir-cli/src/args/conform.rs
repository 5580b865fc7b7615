//! The arguments of `conform`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

use crate::args::number;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 when no case fails, 1 when one does (with --expect: when a result changes).

Examples:
  revoir conform server ws://127.0.0.1:9000/
  revoir conform server --adapter 'node adapter.mjs' --cases 'closing.*'
  revoir conform client --adapter 'python3 adapter.py' --tls --report report
  revoir conform client 127.0.0.1:9100

docs/conform.md says how to write an adapter, how a case is written, and how to argue with one.")]
pub(crate) struct ConformArgs {
    #[command(subcommand)]
    pub(crate) command: ConformCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConformCommand {
    /// Play a raw client against a server at URL, or against one that an adapter starts
    Server {
        /// The server, such as ws://127.0.0.1:9000/; it has to send every message back
        #[arg(value_hint = ValueHint::Url, conflicts_with = "adapter")]
        url: Option<String>,
        #[command(flatten)]
        run: ConformRun,
    },
    /// Play a raw server against a client that an adapter starts, or one that asks over HTTP, such as a browser
    Client {
        /// Where clients ask for the next case, and browsers open a page
        #[arg(value_name = "ADDR", default_value = "127.0.0.1:9100", value_hint = ValueHint::Other)]
        address: SocketAddr,
        #[command(flatten)]
        run: ConformRun,
    },
    /// List the cases
    Cases {
        /// Only cases whose id matches, such as 'closing.*'; may be repeated
        #[arg(long, value_name = "PATTERN", value_hint = ValueHint::Other)]
        cases: Vec<String>,
    },
}

/// What runs in both roles have in common.
#[derive(Debug, clap::Args)]
pub(crate) struct ConformRun {
    /// Command that starts an adapter, which reports what the application is told
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString)]
    pub(crate) adapter: Option<String>,
    /// Only cases whose id matches, such as 'closing.*'; may be repeated [default: all but slow.*]
    #[arg(long, value_name = "PATTERN", value_hint = ValueHint::Other)]
    pub(crate) cases: Vec<String>,
    /// Use TLS, with a certificate made for the run
    #[arg(long)]
    pub(crate) tls: bool,
    /// Play each case this many times
    #[arg(long, value_name = "N", default_value = "1", allow_negative_numbers = true, value_parser = number::whole::<usize>("3"))]
    pub(crate) runs: usize,
    /// Connections at a time
    #[arg(long, value_name = "N", default_value = "16", allow_negative_numbers = true, value_parser = number::whole::<usize>("16"))]
    pub(crate) side_by_side: usize,
    /// Name of the implementation in reports, if its adapter does not say it
    #[arg(long, value_hint = ValueHint::Other)]
    pub(crate) name: Option<String>,
    /// Write the results as JUnit XML
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) junit: Option<PathBuf>,
    /// Write the results and a page of all results in this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) report: Option<PathBuf>,
    /// Known results (TOML); only changes fail
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) expect: Option<PathBuf>,
    /// Allow addresses beyond this machine: the suite breaks rules and floods
    #[arg(long)]
    pub(crate) allow_remote: bool,
}
