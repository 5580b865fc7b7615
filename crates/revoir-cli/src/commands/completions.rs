//! `revoir completions SHELL`.

use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};

pub(crate) fn run(args: &CompletionsArgs) -> String {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "revoir", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
