//! Claims with figures, shown by hand. Those about time are never in `cargo test` or CI.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::report;

/// A claim that can be shown.
struct Proof {
    name: &'static str,
    shows: &'static str,
    run: fn() -> anyhow::Result<()>,
}

const PROOFS: [Proof; 3] = [
    Proof {
        name: "cold-start",
        shows: "the command line answers in under 20 ms",
        run: cold_start,
    },
    Proof {
        name: "delays",
        shows: "reconnect delays fill their range, and vary at the limit",
        run: delays,
    },
    Proof {
        name: "storm",
        shows: "9,000 clients of a server that restarts all come back, evenly (4 minutes)",
        run: storm,
    },
];

/// Runs one proof, or lists them.
pub(crate) fn run(name: Option<&str>) -> anyhow::Result<()> {
    let Some(name) = name else {
        for Proof { name, shows, .. } in PROOFS {
            report(&format!("cargo xtask proof {name}    {shows}"));
        }
        return Ok(());
    };
    let Some(proof) = PROOFS.iter().find(|proof| proof.name == name) else {
        bail!("no proof `{name}`; `cargo xtask proof` lists them");
    };
    (proof.run)()
}

/// The statistics table of the reconnect policy. The test that checks it also prints it.
fn delays() -> anyhow::Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["test", "--package", "revoir", "--test", "it", "--quiet"])
        .args(["--", "--nocapture", "delays::delays_fill"])
        .current_dir(crate::root())
        .status()
        .context("start cargo")?;
    if !status.success() {
        bail!("the delays are not as promised");
    }
    Ok(())
}

/// Restarts a server under 9,000 connections, and compares with the simulation.
fn storm() -> anyhow::Result<()> {
    const CLIENTS: &str = "9000";
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet"])
        .args(["--package", "revoir-cli", "--package", "revoir-storm"])
        .current_dir(crate::root())
        .status()
        .context("start cargo")?;
    if !built.success() {
        bail!("the programs could not be built");
    }
    let folder = crate::root().join("target/release");
    let status = Command::new(folder.join("revoir-storm"))
        .arg("run")
        .arg(folder.join("revoir"))
        .arg(CLIENTS)
        .status()
        .context("start revoir-storm")?;
    if !status.success() {
        bail!("the storm did not go as promised");
    }
    Ok(())
}

/// The time from starting the process to its end, for the longest answers.
fn cold_start() -> anyhow::Result<()> {
    const RUNS: usize = 100;
    const LIMIT: Duration = Duration::from_millis(20);
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--package", "revoir-cli"])
        .current_dir(crate::root())
        .status()
        .context("start cargo")?;
    if !built.success() {
        bail!("the release build failed");
    }
    let program = crate::root().join("target/release/revoir");
    for args in [
        &["explain", "1006", "--causes", "--lang", "zh"][..],
        &["compare", "1006", "1012", "--lang", "fr"],
        &["codes", "--json"],
    ] {
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let begin = Instant::now();
            let status = Command::new(&program)
                .args(args)
                .stdout(Stdio::null())
                .status()
                .context("start revoir")?;
            times.push(begin.elapsed());
            if !status.success() {
                bail!("`revoir {}` failed", args.join(" "));
            }
        }
        times.sort();
        let (median, slowest) = (times[RUNS / 2], times[RUNS - 1]);
        report(&format!(
            "revoir {}: median {median:.1?}, slowest {slowest:.1?} of {RUNS} runs",
            args.join(" ")
        ));
        if median > LIMIT {
            bail!("the median is over {LIMIT:?}");
        }
    }
    Ok(())
}
