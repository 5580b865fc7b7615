//! Measures every stack in every case under callgrind, and writes the table to `results/`.
//!
//! Words restrict it to the stacks and cases that contain all of them, as in
//! `report revoir-proto server 20`; the table then goes to standard output.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use revoir_bench::report::{Environment, Measured, Tool, markdown, plan};
use revoir_bench::stacks::{OURS, STACKS};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tool = Tool::find()?;
    let environment = Environment::ask(bench, packages())?;
    let measured = measure_all(&tool, &words)?;
    let mut cases = plan();
    cases.retain(|case| measured.iter().any(|one| one.case == *case));
    let text = markdown(&environment, &tool, &cases, &measured)?;
    if words.is_empty() {
        let results = bench.join("results");
        fs::create_dir_all(&results)?;
        fs::write(
            results.join(format!("{}-instructions.md", environment.date)),
            text,
        )?;
    } else {
        std::io::stdout().write_all(text.as_bytes())?;
    }
    Ok(())
}

/// Those whose versions the table names.
fn packages() -> impl Iterator<Item = &'static str> {
    let peers = STACKS.iter().map(|stack| stack.package);
    let peers = peers.filter(|package| *package != OURS);
    peers.chain(["bytes", "rand", "simdutf8", "tokio"])
}

fn measure_all(tool: &Tool, words: &[String]) -> Result<Vec<Measured>> {
    let mut measured = Vec::new();
    for case in plan() {
        for stack in STACKS {
            let label = format!("{} {case}", stack.name);
            let mut parts = label.split(' ');
            if !words
                .iter()
                .all(|word| parts.clone().any(|part| part == word))
            {
                continue;
            }
            let name = parts.next().unwrap_or_default();
            tool.check(stack, &case)
                .with_context(|| format!("{name} in {case}"))?;
            let one = tool.measure(stack, case).with_context(|| label.clone())?;
            let figure = one.per_message(|counts| counts.instructions);
            writeln!(std::io::stderr(), "{label}: {figure:.1}")?;
            measured.push(one);
        }
    }
    Ok(measured)
}
