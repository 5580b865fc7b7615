//! The command line, from outside: exit code, stdout and stderr.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod codes;
mod coming_back;
mod compare;
mod configuration;
mod connect;
mod diagnose_live;
mod diagnosing;
mod error_log;
mod errors;
mod events;
mod explain;
mod json;
mod lab;
mod listen;
mod operation;
mod reloading;
mod serve;
mod serve_tls;
mod sessions;
mod simulate;
mod site;
mod support;
mod terminal;
#[cfg(unix)]
mod unix_sockets;
