//! What a program says, and how it ends.

use std::process::ExitCode;

/// Says a line on stderr.
#[expect(clippy::print_stderr, reason = "the one place where the programs talk")]
pub fn report(text: &str) {
    eprintln!("{text}");
}

/// The end of `main`: an error is told.
#[must_use]
pub fn exit_code(done: anyhow::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
