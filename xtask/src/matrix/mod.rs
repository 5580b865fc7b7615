//! `cargo xtask matrix`: the suite for endings against every other implementation that can be had. Outside CI.

mod adapters;
mod idle;
mod measured;
mod reference;
mod results;
mod table;
mod texts;

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::conform::Browser;
use crate::data;
use crate::process::Running;
use crate::programs::Programs;
use crate::report;
use adapters::{Adapter, Installed};
use results::Results;

/// Installing and building one implementation, and playing one role.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// What is asked of an implementation: the cases about endings. Some ten seconds for each role.
const CASES: [&str; 13] = [
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

/// Plays the cases about endings against the implementations with these names, or all there are. Goes on after a failure, and
/// writes what came of it to `conformance/results`, beside what an earlier run said.
pub(crate) fn run(programs: &Programs, names: &[&str]) -> anyhow::Result<()> {
    let chosen = adapters::chosen(names)?;
    let mut installed = Installed::new(programs)?;
    let revoir = programs.program("revoir");
    let mut failed = Vec::new();
    for (at, adapter) in chosen.iter().enumerate() {
        report(&format!(
            "{} ({} of {})",
            adapter.name,
            at + 1,
            chosen.len()
        ));
        if let Err(error) = measure(&revoir, &mut installed, adapter) {
            report(&format!("   not measured: {error:#}"));
            failed.push(&*adapter.name);
        }
    }
    if names.is_empty() {
        page()?;
        report("wrote docs/matrix.md");
    }
    if !failed.is_empty() {
        bail!("not measured: {}", failed.join(", "));
    }
    Ok(())
}

/// Writes the page of what is kept.
pub(crate) fn page() -> anyhow::Result<()> {
    table::write(results::newest()?, &adapters::absent()?)
}

/// Writes what the results say into the data of the reference, and from that data the tables.
pub(crate) fn write_data() -> anyhow::Result<()> {
    measured::write()?;
    data::generate()
}

/// Fails if either is not what would be written, or if the data is wrong.
pub(crate) fn check_data() -> anyhow::Result<()> {
    measured::check()?;
    data::check()
}

fn measure(revoir: &Path, installed: &mut Installed, adapter: &Adapter) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    let mut reports = Vec::new();
    let (mut version, mut build) = (None, None);
    if adapter.is_browser() {
        let browser = Browser::find(&adapter.name, deadline)?;
        (version, build) = (browser.version()?, browser.build()?);
        reports.push(("client".to_owned(), walk(revoir, &browser)?));
    } else {
        let command = installed.command(adapter, deadline)?;
        for role in &adapter.roles {
            let begin = Instant::now();
            reports.push((role.clone(), play(revoir, role, &command)?));
            report(&format!("   {role}: {} s", begin.elapsed().as_secs()));
        }
    }
    let mut results = Results::of(adapter, &reports)?;
    if let Some(version) = version {
        results.version = version;
    }
    if let Some(build) = build {
        results.hello["runtime"] = build.into();
    }
    for role in results.roles.keys() {
        let counts: Vec<String> = results
            .counts(role)
            .into_iter()
            .map(|(verdict, count)| format!("{count} {verdict}"))
            .collect();
        report(&format!("   {role}: {}", counts.join(", ")));
    }
    if let Some(before) = results.earlier()? {
        results.compare(&before);
    }
    for differs in results.compared.iter().flat_map(|one| &one.differs) {
        report(&format!("   differs from the run before: {differs}"));
    }
    results.write()
}

/// One role; the report as a line of JSON.
fn play(revoir: &Path, role: &str, command: &str) -> anyhow::Result<String> {
    let mut suite = suite(revoir, role);
    suite.args(["--adapter", command]).stderr(Stdio::piped());
    let mut suite = Running::start(&mut suite)?;
    let stderr = suite.stderr();
    let complaints = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.map(|mut pipe| pipe.read_to_string(&mut text));
        text
    });
    said(suite).map_err(|error| {
        let complaints = complaints.join().unwrap_or_default();
        let last = complaints.lines().last().unwrap_or_default();
        error.context(format!("`revoir conform {role}`: {last}"))
    })
}

/// The same for a browser, which walks through the cases by itself.
fn walk(revoir: &Path, browser: &Browser) -> anyhow::Result<String> {
    let folder = crate::root().join("target/matrix/browsers");
    let (suite, _running) = browser.walk(&mut suite(revoir, "client"), &folder)?;
    said(suite)
}

fn suite(revoir: &Path, role: &str) -> Command {
    let mut suite = Command::new(revoir);
    suite
        .args(["conform", role, "--json"])
        .args(CASES.iter().flat_map(|pattern| ["--cases", *pattern]))
        .arg("--report")
        .arg(crate::root().join("target/matrix/report"))
        .stdout(Stdio::piped());
    suite
}

/// What the suite has said at its end: a line of JSON.
fn said(mut suite: Running) -> anyhow::Result<String> {
    let stdout = suite.stdout();
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
        _ => bail!("it ended with {status}"),
    }
}
