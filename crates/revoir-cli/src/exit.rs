//! Exit codes and failures. The codes are API: they are listed in `--help`.

use std::fmt::Write;
use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: a failure that the message explains.
    Failure,
    /// 2: the command line is wrong.
    Usage,
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
    /// What was given is not a close code: what is wrong, and what would be accepted.
    NotACloseCode { problem: String, hint: String },
    /// Nothing fits what was asked for.
    NothingFound { problem: String, hint: String },
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::NotACloseCode { .. } => Exit::NotACloseCode,
            Self::NothingFound { .. } => Exit::Failure,
        }
    }

    /// The message for stderr.
    pub(crate) fn message(&self, color: bool) -> String {
        match self {
            Self::Usage(error) if color => error.render().ansi().to_string(),
            Self::Usage(error) => error.render().to_string(),
            Self::NotACloseCode { problem, hint } | Self::NothingFound { problem, hint } => {
                let (bold_red, cyan) = if color {
                    ("\x1b[1;31m", "\x1b[36m")
                } else {
                    ("", "")
                };
                let off = if color { "\x1b[0m" } else { "" };
                let mut out = String::new();
                let _ = writeln!(out, "{bold_red}error:{off} {problem}");
                let _ = writeln!(out, "{cyan}hint:{off} {hint}");
                out
            }
        }
    }
}
