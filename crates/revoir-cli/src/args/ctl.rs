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
    /// Address of the admin interface of `serve`: unix:PATH or ADDR:PORT [default: the socket that
    /// `serve` creates in $XDG_RUNTIME_DIR/revoir, or in /run/revoir if that variable is not set]
    #[arg(long, global = true, value_name = "ADDR", value_hint = ValueHint::Other)]
    pub(crate) admin: Option<AdminAddr>,
    #[command(subcommand)]
    pub(crate) command: CtlCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CtlCommand {
    /// List the open connections, oldest first
    List,
    /// Close a connection: its client and its backend receive a Close frame
    End {
        /// The connection, as named by `list` and the Revoir-Conn header
        #[arg(value_name = "CONN", value_hint = ValueHint::Other, value_parser = values::conn)]
        conn: String,
        /// The close code
        #[arg(long, value_name = "CODE", value_hint = ValueHint::Other, value_parser = values::server_code)]
        code: SendCode,
        /// The close reason, at most 123 bytes
        #[arg(long, value_name = "TEXT", default_value = "", value_hint = ValueHint::Other, value_parser = values::reason)]
        reason: Reason,
    },
    /// Stop the gateway, as SIGTERM does: close all connections, then exit
    Drain {
        /// Close with 1012 and a slot because a successor is coming, whatever `serve` was told
        #[arg(long)]
        restart: bool,
    },
    /// Reload the configuration, as SIGHUP does
    Reload,
    /// Show the status of the gateway
    Status,
}
