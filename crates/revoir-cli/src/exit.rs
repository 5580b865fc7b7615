//! Exit codes and failures. The codes are API: they are listed in `--help`.

use std::fmt::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory};
use revoir_codes::catalog::Locale;

use crate::args::Args;
use crate::printable;
use revoir_gateway::config::ConfigError;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: a failure that the message explains.
    Failure,
    /// 2: the command line is wrong.
    Usage,
    /// 3: the connection opened and ended otherwise than with 1000, and not because the user asked.
    Ended,
    /// 4: the endpoint was never reached, or refused the opening handshake.
    NeverOpened,
    /// 5: what was given is not a close code.
    NotACloseCode,
}

impl Exit {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Ended => 3,
            Self::NeverOpened => 4,
            Self::NotACloseCode => 5,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command cannot answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong; clap says how.
    Usage(clap::Error),
    /// What was given is not a close code: what is wrong, and what would be accepted, in the
    /// language of the screen.
    NotACloseCode { problem: String, hint: String },
    /// Nothing fits what was asked for, in the language of the screen.
    NothingFound { problem: String, hint: String },
    /// Something here stands in the way: a file, a port, the operating system. In English, as what
    /// it quotes.
    Impossible { problem: String, hint: String },
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let flag = match error {
            ConfigError::Unreadable { .. } | ConfigError::Wrong { .. } => "--config: ",
            ConfigError::Mistake(_)
            | ConfigError::Certificate { .. }
            | ConfigError::SessionKeys { .. }
            | ConfigError::Store { .. }
            | ConfigError::Roots { .. } => "",
        };
        Self::Impossible {
            problem: format!("{flag}{error}"),
            hint: error.hint().to_owned(),
        }
    }
}

impl Failure {
    /// A value on the command line of `command` that was found to be wrong when it was used.
    pub(crate) fn usage(command: &str, problem: &str) -> Self {
        let mut program = Args::command();
        // Only a built command knows its usage line.
        program.build();
        let error = |command: &mut Command| command.error(ErrorKind::ValueValidation, problem);
        Self::Usage(match program.find_subcommand_mut(command) {
            Some(command) => error(command),
            None => error(&mut program),
        })
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::NotACloseCode { .. } => Exit::NotACloseCode,
            Self::NothingFound { .. } | Self::Impossible { .. } => Exit::Failure,
        }
    }

    /// What is wrong, and what would help.
    pub(crate) fn parts(self) -> (String, String) {
        match self {
            Self::Usage(error) => (error.to_string(), String::new()),
            Self::NotACloseCode { problem, hint }
            | Self::NothingFound { problem, hint }
            | Self::Impossible { problem, hint } => (problem, hint),
        }
    }

    /// The message for stderr. What is not in the language of `locale` is marked as English.
    pub(crate) fn message(&self, color: bool, locale: &Locale) -> String {
        let english = if !locale.is_complete() || locale.tag == "en" {
            ""
        } else {
            "(en) "
        };
        match self {
            Self::Usage(error) if color => format!("{english}{}", error.render().ansi()),
            Self::Usage(error) => format!("{english}{}", error.render()),
            Self::NotACloseCode { problem, hint }
            | Self::NothingFound { problem, hint }
            | Self::Impossible { problem, hint } => {
                let mark = match self {
                    Self::Impossible { .. } => english,
                    _ => "",
                };
                let (bold_red, cyan) = if color {
                    ("\x1b[1;31m", "\x1b[36m")
                } else {
                    ("", "")
                };
                let off = if color { "\x1b[0m" } else { "" };
                let mut out = String::new();
                // They may repeat what a peer or a file says.
                let (problem, hint) = (printable::lines(problem), printable::lines(hint));
                let phrases = locale.phrases();
                let colon = phrases.colon.trim_end_matches(' ');
                let space = &phrases.colon[colon.len()..];
                let (error, tip) = (phrases.error, phrases.hint);
                let _ = writeln!(out, "{bold_red}{error}{colon}{off}{space}{mark}{problem}");
                let _ = writeln!(out, "{cyan}{tip}{colon}{off}{space}{mark}{hint}");
                out
            }
        }
    }
}
