//! Runs one case of one stack, and prints what it allocated. The instructions are counted from
//! outside.
//!
//! `measure STACK ROLE KIND ARRIVAL SIZE COUNT` echoes COUNT messages;
//! `measure check STACK ROLE KIND ARRIVAL SIZE COUNT` also checks every byte of the echo.

use std::io::Write;

use anyhow::{Context, Result, bail};
use revoir_bench::allocations::{Counting, Requested};
use revoir_bench::case::Case;
use revoir_bench::frames;
use revoir_bench::stacks::{self, BARE, Stack};
use revoir_bench::wire::Wire;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> Result<()> {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let check = words.first().is_some_and(|word| word == "check");
    if check {
        words.remove(0);
    }
    let [name, case @ .., count] = &words[..] else {
        bail!("measure [check] STACK ROLE KIND ARRIVAL SIZE COUNT");
    };
    let stack = Stack::named(name).with_context(|| format!("no such stack: {name}"))?;
    let case = Case::parse(case)?;
    let count: usize = count.parse()?;
    let mut wire = Wire::new(&case);
    if check {
        wire.keep_output();
    }
    stacks::uncounted_preparation();
    let before = Requested::now();
    let wire = stack.echo(wire, &case, count)?;
    let after = Requested::now();
    if check && stack.name != BARE {
        frames::check_echo(&case, &wire.into_kept(), count)
            .with_context(|| format!("{name} does not echo"))?;
    }
    let (calls, bytes) = (after.calls - before.calls, after.bytes - before.bytes);
    writeln!(std::io::stdout(), "{calls} {bytes}")?;
    Ok(())
}
