//! The command line of revoir. Everything is in the library, so that tests run in process.

use std::process::ExitCode;

fn main() -> ExitCode {
    revoir_cli::main()
}
