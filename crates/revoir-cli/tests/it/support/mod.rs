//! Running the program.

mod client;
pub(crate) mod fields;
mod http;
mod peer;
mod ports;
mod process;
mod relay;
mod scripted;

use std::process::{Command, Output, Stdio};

use revoir_cli::environment::Environment;
use revoir_codes::catalog::Locale;

pub(crate) use client::{Client, Pem};
pub(crate) use http::Reference;
pub(crate) use peer::{Peer, Server};
pub(crate) use ports::nobody;
pub(crate) use process::{Ended, Process};
pub(crate) use relay::Relay;
pub(crate) use scripted::{End, Frame, Odd, Scripted, field};

/// The program with arguments, in a pipe, without a language from outside.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revoir"));
    command.args(args).stdin(Stdio::null());
    for name in ["LC_ALL", "LC_MESSAGES", "LANG", "NO_COLOR", "COLUMNS"] {
        command.env_remove(name);
    }
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name);
        command.env_remove(name.to_ascii_uppercase());
    }
    command
}

/// Runs the program and writes down all that can be seen of it.
pub(crate) fn run(args: &[&str]) -> String {
    report(&command(args).output().expect("the program starts"))
}

/// Standard output of a run that has to succeed.
pub(crate) fn stdout(args: &[&str]) -> String {
    let output = command(args).output().expect("the program starts");
    assert!(output.status.success(), "{args:?}: {}", report(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn report(output: &Output) -> String {
    format!(
        "exit: {}\n----- stdout\n{}----- stderr\n{}",
        output.status.code().expect("no signal"),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Standard output on a terminal of a width, with escapes written as `^[`.
pub(crate) fn on_terminal(width: usize, color: bool, args: &[&str]) -> String {
    let environment = Environment {
        width: Some(width),
        err_terminal: true,
        color,
        err_color: color,
        locale: Locale::english(),
    };
    let args = std::iter::once("revoir").chain(args.iter().copied());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = revoir_cli::run(args.map(Into::into), &environment, &mut out, &mut err);
    assert_eq!(exit.code(), 0, "{}", String::from_utf8_lossy(&err));
    String::from_utf8(out).expect("UTF-8").replace('\x1b', "^[")
}
