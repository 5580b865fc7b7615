//! The arguments of `ctl`.

use clap::{Subcommand, ValueHint};
use revoir::{Reason, SendCode};

use crate::args::values;
use revoir_gateway::AdminAddr;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  revoir ctl status
  revoir ctl list
  revoir ctl end 5f3a90c1-17 --code 1008 --reason \"too many messages\"
  revoir ctl reload
  revoir ctl drain --restart")]
pub(crate) struct CtlArgs {
    /// Where `serve` has its admin interface: unix:PATH or ADDR:PORT. Without it, where `serve` puts
    /// it: in $XDG_RUNTIME_DIR/revoir, or in /run/revoir if that variable is not set
    #[arg(long, global = true, value_name = "ADDR", value_hint = ValueHint::Other)]
    pub(crate) admin: Option<AdminAddr>,
    #[command(subcommand)]
    pub(crate) command: CtlCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CtlCommand {
    /// Show the open connections, the oldest one first
    List,
    /// End a connection: its client and its backend get a Close frame
    End {
        /// The connection, as `list` and Revoir-Conn name it
        #[arg(value_name = "CONN", value_hint = ValueHint::Other, value_parser = values::conn)]
        conn: String,
        /// The code to close with
        #[arg(long, value_name = "CODE", value_hint = ValueHint::Other, value_parser = values::server_code)]
        code: SendCode,
        /// The reason, at most 123 bytes
        #[arg(long, value_name = "TEXT", default_value = "", value_hint = ValueHint::Other, value_parser = values::reason)]
        reason: Reason,
    },
    /// Stop the gateway, as SIGTERM does: close all connections, then exit
    Drain {
        /// A successor is coming: close with 1012 and a slot, instead of what `serve` was told
        #[arg(long)]
        restart: bool,
    },
    /// Have the gateway read its configuration again, as SIGHUP does
    Reload,
    /// Show how the gateway stands
    Status,
}
