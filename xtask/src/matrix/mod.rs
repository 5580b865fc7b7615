//! `cargo xtask matrix`: the suite for endings against every other implementation that can be had. Outside CI.

mod adapters;
mod results;
mod table;

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::process::Running;
use crate::programs::Programs;
use crate::report;
use adapters::{Adapter, Installed};
use results::Results;

/// Installing and building one implementation, and playing one role.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// The cases that `docs/matrix.md` shows, and their neighbours: some ten seconds for each role.
const ENDINGS: [&str; 13] = [
    "codes.1*",
    "codes.3*",
    "codes.4*",
    "codes.empty",
    "codes.one-byte",
    "codes.reserved.*",
    "codes.undefined.*",
    "codes.app.*",
    "closing.*",
    "frames.opcode.3",
    "tcp.*",
    "text.*",
    "opening.client.*",
];

/// Plays all cases but the slow against the implementations with these names, or all there are; with `--endings` in front
/// only those that the page shows. Goes on after a failure, and writes what came of it to `conformance/results`.
pub(crate) fn run(programs: &Programs, options: &[&str]) -> anyhow::Result<()> {
    let (patterns, names): (&[&str], &[&str]) = match options {
        ["--endings", names @ ..] => (&ENDINGS, names),
        names => (&[], names),
    };
    let chosen = adapters::chosen(names)?;
    let mut installed = Installed::new()?;
    let revoir = programs.program("revoir");
    let mut absent = Vec::new();
    for (at, adapter) in chosen.iter().enumerate() {
        report(&format!(
            "{} ({} of {})",
            adapter.name,
            at + 1,
            chosen.len()
        ));
        if let Err(error) = measure(&revoir, &mut installed, adapter, patterns) {
            report(&format!("   not measured: {error:#}"));
            absent.push((adapter.name.clone(), format!("{error:#}")));
        }
    }
    let kept = results::kept()?;
    // What was measured another time is there all the same.
    absent.retain(|(name, _)| kept.iter().all(|results| &results.name != name));
    if names.is_empty() {
        table::write(&kept, &absent)?;
        report("wrote docs/matrix.md");
    }
    Ok(())
}

/// Writes the page of what is kept.
pub(crate) fn page() -> anyhow::Result<()> {
    table::write(&results::kept()?, &[])
}

fn measure(
    revoir: &Path,
    installed: &mut Installed,
    adapter: &Adapter,
    patterns: &[&str],
) -> anyhow::Result<()> {
    let command = installed.command(adapter, Instant::now() + LIMIT)?;
    let mut reports = Vec::new();
    for role in &adapter.roles {
        let begin = Instant::now();
        reports.push((role.clone(), play(revoir, role, &command, patterns)?));
        report(&format!("   {role}: {} s", begin.elapsed().as_secs()));
    }
    let results = Results::of(&reports)?;
    for role in results.roles.keys() {
        let counts: Vec<String> = results
            .counts(role)
            .into_iter()
            .map(|(verdict, count)| format!("{count} {verdict}"))
            .collect();
        report(&format!("   {role}: {}", counts.join(", ")));
    }
    if let Ok(before) = fs::read_to_string(results.path()) {
        let before = serde_json::from_str(&before).context("read the results of before")?;
        for change in results.changes(&before) {
            report(&format!("   differs: {change}"));
        }
    }
    results.write()
}

/// One role; the report as a line of JSON.
fn play(revoir: &Path, role: &str, command: &str, patterns: &[&str]) -> anyhow::Result<String> {
    let mut suite = Command::new(revoir);
    suite
        .args(["conform", role, "--adapter", command, "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    suite.args(patterns.iter().flat_map(|pattern| ["--cases", *pattern]));
    let mut suite = Running::start(&mut suite)?;
    let (stdout, stderr) = (suite.stdout(), suite.stderr());
    let complaints = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.map(|mut pipe| pipe.read_to_string(&mut text));
        text
    });
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.map(|mut pipe| pipe.read_to_string(&mut text));
        text
    });
    // What fails is a result: 1 is said of it.
    let status = suite.status(Instant::now() + LIMIT)?;
    let text = reading.join().unwrap_or_default();
    match text.lines().last() {
        Some(line) if status.code().is_some_and(|code| code < 2) => Ok(line.to_owned()),
        _ => {
            let complaints = complaints.join().unwrap_or_default();
            let last = complaints.lines().last().unwrap_or_default();
            bail!("`revoir conform {role}` ended with {status}: {last}")
        }
    }
}
