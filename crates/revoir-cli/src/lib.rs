//! The command line of revoir: the end of a WebSocket connection, explained.
//!
//! [`run`] is the whole program with its surroundings passed in; [`main`] is `run` with the real
//! ones. An answer is built as text and written once. A command with connections has a thread for
//! the network, which tells events, and writes them here: a slow reader of the output keeps no pong
//! waiting.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

mod answer;
mod args;
mod commands;
mod diagnose;
pub mod environment;
mod error_log;
mod events;
pub mod exit;
mod output;
mod printable;
mod signals;
mod simulate;

use answer::print;
use args::{Args, Command};
use environment::Environment;
use exit::{Exit, Failure};
use output::Screen;

/// Runs the program with the arguments, the environment and the streams of this process.
#[must_use]
pub fn main() -> ExitCode {
    let environment = Environment::of_this_process();
    // Stderr is not kept locked: another thread may have to say why it panics.
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    run(std::env::args_os(), &environment, &mut out, &mut err).into()
}

/// Runs the program. `args` begins with the program's own name.
///
/// A closed `out` is not an error: the reader has seen enough.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    out: &mut dyn Write,
    err: &mut (dyn Write + Send),
) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    let environment = &args::with_color(&args, environment);
    match obey(args.clone(), environment, out, err) {
        Ok(exit) => exit,
        Err(failure) => {
            let locale = args::language(&args, environment);
            // What is said on stderr is a courtesy: a closed stderr must not fail the command.
            let _ = err.write_all(failure.message(environment.err_color, locale).as_bytes());
            failure.exit()
        }
    }
}

fn obey(
    args: Vec<OsString>,
    environment: &Environment,
    out: &mut dyn Write,
    err: &mut (dyn Write + Send),
) -> Result<Exit, Failure> {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) if !error.use_stderr() => {
            return Ok(print(&help(&error, environment).into(), out, err));
        }
        Err(error) => return Err(Failure::Usage(error)),
    };
    let screen = Screen::new(&args.common, environment);
    let answer = match args.command {
        Command::Explain(args) => commands::explain::run(&args, &screen)?,
        Command::Compare(args) => commands::compare::run(&args, &screen)?,
        Command::Codes(args) => commands::codes::run(&args, &screen)?.into(),
        Command::Site(args) => commands::site::run(&args, &screen)?,
        Command::Completions(args) => commands::completions::run(&args).into(),
        Command::Ctl(args) => commands::ctl::run(&args, &screen)?,
        Command::Simulate(args) => commands::simulate::run(&args, &screen, err)?,
        Command::Connect(args) => return commands::connect::run(args, &screen, out, err),
        Command::Serve(args) => return commands::serve::run(args, &screen, out, err),
        Command::Diagnose(args) => return commands::diagnose::run(&args, &screen, out, err),
        Command::Conform(args) => return commands::conform::run(&args, &screen, out, err),
        Command::Listen(args) => return commands::listen::run(args, &screen, out, err),
    };
    Ok(print(&answer, out, err))
}

/// `--help` and `--version` are answers, not errors.
fn help(error: &clap::Error, environment: &Environment) -> String {
    let text = error.render();
    if environment.color {
        text.ansi().to_string()
    } else {
        text.to_string()
    }
}
