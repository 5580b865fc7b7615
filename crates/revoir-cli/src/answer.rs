//! [`Answer`]: what a command has to say, and how it is written.

use std::io::{self, Write};

use crate::exit::Exit;

/// What a command has to say.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// For stdout.
    pub(crate) text: String,
    /// For stderr.
    pub(crate) notes: String,
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        Self {
            text,
            notes: String::new(),
        }
    }
}

/// Writes an answer, and says what that means for the exit code.
pub(crate) fn print(answer: &Answer, out: &mut dyn Write, err: &mut dyn Write) -> Exit {
    let _ = err.write_all(answer.notes.as_bytes());
    let written = out.write_all(answer.text.as_bytes());
    written_to(written.and_then(|()| out.flush()), err).unwrap_or(Exit::Done)
}

/// What it means for the exit code that stdout could not be written: a closed pipe means that the
/// reader has seen enough. `None`: all is well.
pub(crate) fn written_to(result: io::Result<()>, err: &mut dyn Write) -> Option<Exit> {
    match result {
        Ok(()) => None,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Some(Exit::Done),
        Err(error) => {
            let _ = writeln!(err, "error: cannot write the output: {error}");
            Some(Exit::Failure)
        }
    }
}
