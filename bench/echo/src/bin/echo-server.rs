//! `echo-server STACK`: prints its port, and sends messages back until its parent ends.

use std::io::Write;

use anyhow::{Context, Result};
use revoir_echo::process::{SERVER_CPU, pin};
use revoir_echo::stacks::Stack;
use rustix::process::{Signal, set_parent_process_death_signal};

fn main() -> Result<()> {
    let name = std::env::args().nth(1).context("name a server")?;
    let stack = Stack::find(&name)?;
    set_parent_process_death_signal(Some(Signal::TERM))?;
    pin(SERVER_CPU)?;
    stack.run(&mut |port| {
        let mut output = std::io::stdout();
        writeln!(output, "{port}")?;
        Ok(output.flush()?)
    })
}
