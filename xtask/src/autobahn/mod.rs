//! `cargo xtask autobahn`: the Autobahn testsuite against our server and our client.

mod expectations;
mod suite;
mod units;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::process::Running;
use crate::report;

/// The whole run, building and installing included.
const LIMIT: Duration = Duration::from_secs(50 * 60);

/// Runs every case in both roles and compares with `conformance/autobahn/expectations.toml`.
pub(crate) fn run() -> anyhow::Result<()> {
    let begin = Instant::now();
    let deadline = begin + LIMIT;
    let pins = crate::root().join("conformance/autobahn");
    let folder = crate::root().join("target/autobahn");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;

    let expected = expectations::read(&pins.join("expectations.toml"))?;
    let suite = suite::install(&pins, &folder, deadline)?;
    let peers = build(deadline)?;

    let run = units::run_all(&suite, &peers, &folder.join("reports"), deadline);
    let mut unexpected = run.failures;
    unexpected.extend(expectations::compare(&expected, &run.outcomes));
    for role in units::ROLES {
        report(&format!(
            "{role}: {}",
            expectations::counts(&run.outcomes, role)
        ));
    }
    report(&format!("took {} s", begin.elapsed().as_secs()));
    if !unexpected.is_empty() {
        bail!(
            "not as in conformance/autobahn/expectations.toml:\n  {}\nreports: {}",
            unexpected.join("\n  "),
            folder.join("reports").display()
        );
    }
    Ok(())
}

/// Our two ends.
struct Peers {
    server: PathBuf,
    client: PathBuf,
}

/// What handles every byte, and is optimised: the suite sends some 20 GB each way.
const OPTIMISED: [&str; 5] = ["revoir", "revoir-proto", "flate2", "zlib-rs", "simdutf8"];

/// Builds the examples. Of the whole workspace, since all else is then there from `cargo test`.
fn build(deadline: Instant) -> anyhow::Result<Peers> {
    let target = crate::root().join("target");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--workspace"])
        .args(["--example", "autobahn_server"])
        .args(["--example", "autobahn_client"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(crate::root());
    for package in OPTIMISED {
        let optimised = format!("profile.dev.package.{package}.opt-level=3");
        cargo.args(["--config", &optimised]);
    }
    Running::start(&mut cargo)?.succeed(deadline)?;
    let example = |name: &str| {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        target.join("debug/examples").join(file)
    };
    Ok(Peers {
        server: example("autobahn_server"),
        client: example("autobahn_client"),
    })
}

/// A new file for what a process prints.
fn log(path: &Path) -> anyhow::Result<fs::File> {
    fs::File::create(path).with_context(|| format!("create {}", path.display()))
}
