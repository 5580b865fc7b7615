//! `cargo xtask autobahn`: the Autobahn testsuite against our server and our client.

mod expectations;
mod inputs;
mod peers;
mod role;
mod suite;
mod units;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::process::Running;
use crate::programs::Programs;
use crate::report;
use peers::Peers;
use role::ROLES;
pub(crate) use suite::Suite;

/// The whole run, installing included. One that is broken off, or takes longer, goes on where it was.
const LIMIT: Duration = Duration::from_secs(50 * 60);

/// How much of sections 12 and 13 is run. All of them takes ten times as long as all the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Whole,
    Sample,
}

/// Runs cases in both roles and compares with `conformance/autobahn/expectations.toml`.
pub(crate) fn run(programs: &Programs, extent: Extent) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    let mut expected = expectations::read(&pins().join("expectations.toml"))?;
    let suite = install(deadline)?;
    let is_whole = extent == Extent::Whole;
    build(extent, deadline)?;
    let peers = Peers {
        server: programs.example("autobahn_server"),
        client: programs.example("autobahn_client"),
    };

    let reports = folder().join("reports");
    let source = if is_whole { inputs::source()? } else { None };
    let source = source.as_deref();
    let run = units::run_all(&suite, &peers, is_whole, source, &reports, deadline);
    if source.is_some() && run.failures.is_empty() {
        units::forget(&reports)?;
    }
    if !is_whole {
        expected.retain(|case, _| !case.1.is_sampled() || run.outcomes.contains_key(case));
    }
    let mut unexpected = run.failures;
    unexpected.extend(expectations::compare(&expected, &run.outcomes));
    let counts = ROLES.map(|role| expectations::counts(&run.outcomes, role));
    for (role, counts) in ROLES.iter().zip(&counts) {
        report(&format!("{role}: {counts}"));
    }
    if !unexpected.is_empty() {
        bail!(
            "not as in conformance/autobahn/expectations.toml:\n  {}\nreports: {}",
            unexpected.join("\n  "),
            reports.display()
        );
    }
    if is_whole {
        let [server, client] = counts;
        let path = inputs::record(&server, &client)?;
        report(&format!("written: {}", path.display()));
    }
    Ok(())
}

/// Installs the suite, where it is missing.
pub(crate) fn install(deadline: Instant) -> anyhow::Result<Suite> {
    let folder = folder();
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    suite::install(&pins(), &folder, deadline)
}

/// What handles every byte, and is optimised for all cases, which send some 20 GB each way.
const OPTIMISED: [&str; 4] = ["revoir", "revoir-proto", "simdutf8", "zlib-rs"];

/// Builds our two ends. A sample is played with what `cargo test` has compiled: optimising would take longer than it saves.
fn build(extent: Extent, deadline: Instant) -> anyhow::Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--quiet", "--workspace"])
        .args(["--example", "autobahn_server"])
        .args(["--example", "autobahn_client"])
        .current_dir(crate::root());
    if extent == Extent::Whole {
        for package in OPTIMISED {
            let optimised = format!("profile.dev.package.{package}.opt-level=3");
            cargo.args(["--config", &optimised]);
        }
    }
    Running::start(&mut cargo)?.succeed(deadline)
}

/// Fails unless all cases were run with what sections 12 and 13 go through as it is. That takes longer than all other
/// checks together, so CI asks for what was written down and runs a sample.
pub(crate) fn recorded() -> anyhow::Result<()> {
    const RUN: &str = "`cargo xtask autobahn` runs all cases and writes down that it did \
                       (conformance/autobahn/last-whole-run.toml): commit it";
    let last = inputs::WholeRun::read()
        .with_context(|| format!("the last run of all cases is not known. {RUN}"))?;
    let changes = last.changes()?;
    if !changes.is_empty() {
        bail!(
            "the cases of Autobahn have NOT all been run with the code as it is. Changed since: {}. {RUN}",
            changes.join(", ")
        );
    }
    report(&format!(
        "   all cases were run with the code as it is (server: {}; client: {})",
        last.server, last.client
    ));
    Ok(())
}

fn pins() -> PathBuf {
    crate::root().join("conformance/autobahn")
}

fn folder() -> PathBuf {
    crate::root().join("target/autobahn")
}
