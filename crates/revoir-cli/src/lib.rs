//! The command line of revoir: the end of a WebSocket connection, explained.
//!
//! [`run`] is the whole program with its surroundings passed in; [`main`] is `run` with the real
//! ones. Output is built as text and written once, so a closed pipe is noticed in one place.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

mod args;
mod commands;
pub mod environment;
pub mod exit;
mod output;

use args::{Args, Command};
use environment::Environment;
use exit::{Exit, Failure};
use output::Screen;

/// Runs the program with the arguments, the environment and the streams of this process.
#[must_use]
pub fn main() -> ExitCode {
    let environment = Environment::of_this_process();
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    run(std::env::args_os(), &environment, &mut out, &mut err).into()
}

/// Runs the program. `args` begins with the program's own name.
///
/// A closed `out` is not an error: the reader has seen enough.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    environment: &Environment,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    let environment = &args::with_color(&args, environment);
    match answer(args, environment) {
        Ok(answer) => {
            // What is said on stderr is a courtesy: a closed stderr must not fail the command.
            let _ = err.write_all(answer.notes.as_bytes());
            match out
                .write_all(answer.text.as_bytes())
                .and_then(|()| out.flush())
            {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    let _ = writeln!(err, "error: cannot write the output: {error}");
                    Exit::Failure
                }
                _ => Exit::Done,
            }
        }
        Err(failure) => {
            let _ = err.write_all(failure.message(environment.err_color).as_bytes());
            failure.exit()
        }
    }
}

/// What a command has to say.
#[derive(Debug, Default)]
struct Answer {
    /// For stdout.
    text: String,
    /// For stderr.
    notes: String,
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self {
            text,
            notes: String::new(),
        }
    }
}

fn answer(
    args: impl IntoIterator<Item = OsString>,
    environment: &Environment,
) -> Result<Answer, Failure> {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) if !error.use_stderr() => return Ok(help(&error, environment).into()),
        Err(error) => return Err(Failure::Usage(error)),
    };
    let screen = Screen::new(&args.common, environment);
    match args.command {
        Command::Explain(args) => commands::explain::run(&args, &screen),
        Command::Compare(args) => commands::compare::run(&args, &screen),
        Command::Codes(args) => commands::codes::run(&args, &screen).map(Answer::from),
        Command::Completions(args) => Ok(commands::completions::run(&args).into()),
    }
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
