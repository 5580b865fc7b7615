//! `cargo xtask ci`: everything that `.ci/run` checks after `cargo build` and `cargo test`.

mod contents;
mod dependencies;
mod docs;
mod interface;
mod ledger;
pub(crate) mod leftovers;
mod licence;
mod metadata;
mod names;
mod packages;
#[cfg(test)]
mod untested;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::programs::Programs;
use crate::{autobahn, browser, conform, js, peers, proxies, redis, report, tools};
use ledger::Steps;
pub(crate) use packages::{PackageProof, check as packages};

/// How long each fuzz target runs, in seconds: long enough for its seeds and the neighbours.
const FUZZ_SECONDS: &str = "5";

/// Installing everything.
const INSTALL_LIMIT: Duration = Duration::from_secs(15 * 60);

/// Where `.ci/run` notes the steps that it has made.
const STEPS_BEFORE: &str = "target/ci/steps.tsv";

/// Everything that is written, with every feature.
const LINTS: &[&str] = &[
    "clippy",
    "--workspace",
    "--all-targets",
    "--all-features",
    "--",
    "-D",
    "warnings",
];

/// The libraries with none. Packages above them would turn features on.
const LINTS_BARE: &[&str] = &[
    "clippy",
    "--lib",
    "--no-default-features",
    "--package",
    "revoir",
    "--package",
    "revoir-codes",
    "--package",
    "revoir-proto",
    "--package",
    "revoir-session",
    "--",
    "-D",
    "warnings",
];

/// Runs every step, stops at the first that fails, and shows what each took.
pub(crate) fn run() -> anyhow::Result<()> {
    let Ok(mark) = std::env::var(leftovers::MARK) else {
        return run_marked();
    };
    let begin = Instant::now();
    let mut ledger = Steps::default();
    let steps_before = crate::root().join(STEPS_BEFORE);
    // Without it, this was started by hand.
    if let Ok(lines) = fs::read_to_string(&steps_before) {
        ledger.read(&lines).context(STEPS_BEFORE)?;
        fs::remove_file(&steps_before).context(STEPS_BEFORE)?;
    }
    let before = ledger.before();
    let done = steps(&mut ledger, &mark);
    report(&ledger.table(before + begin.elapsed()));
    if done.is_ok() {
        report("== all steps passed");
    }
    done
}

fn steps(ledger: &mut Steps, mark: &str) -> anyhow::Result<()> {
    ledger.step("processes left by the tests", || leftovers::check(mark))?;
    // Downloads wait for the network, compilers do not.
    ledger.beside("tools", &["tools"], checks)?;
    // Fuzzing has a target folder of its own, and one crate at its end that the other processor would wait for.
    ledger.beside("packages", &["packages", "--check"], |ledger| {
        ledger.step("fuzz", fuzz)?;
        ledger.step("the tests of Redis, compiled", redis::build)
    })?;
    // These mostly wait, and have limits of one second: they are alone.
    let waiting = [
        ledger.start("gateway", &["--built", "gateway"])?,
        ledger.start("leaving", &["--built", "leaving"])?,
        ledger.start("proxies", &["--built", "proxies"])?,
    ];
    ledger.finish(waiting.into())?;
    // It takes both processors, and has bounds of five seconds.
    ledger.step("endings", || conform::run(&Programs::built()?))?;
    // Redis is waited for most of its time, and nothing is left to compile.
    ledger.beside("sessions in Redis", &["redis"], |ledger| {
        ledger.step("sessions in JavaScript", || {
            crate::session::run(&Programs::built()?)
        })?;
        ledger.step("autobahn", || {
            autobahn::run(&Programs::built()?, autobahn::Extent::Sample)
        })
    })?;
    // The client in browsers waits, for timers that are as long as in use; the pages in browsers do not.
    ledger.beside("browser", &["--built", "browser"], |ledger| {
        ledger.beside("the fixes of the pages", &["fixes"], |ledger| {
            ledger.step("the browser client", || {
                js::run(&Programs::built()?, js::Engines::Usual)
            })
        })
    })?;
    ledger.step("processes left", || leftovers::check(mark))?;
    // `.ci/run` has asked before anything else, unless it was told not to.
    ledger.step("all of autobahn", autobahn::recorded)
}

/// What needs nothing but Rust.
fn checks(ledger: &mut Steps) -> anyhow::Result<()> {
    ledger.step("data", crate::matrix::check_data)?;
    ledger.step("the scripts of the site", js::check_scripts)?;
    ledger.step("format", || cargo(&["fmt", "--all", "--check"]))?;
    ledger.step("dependencies", dependencies::check)?;
    ledger.step("lints, all features", || cargo(LINTS))?;
    ledger.step("lints, no features", || cargo(LINTS_BARE))?;
    ledger.step("names in pages", names::check)?;
    ledger.step("docs", docs::check)?;
    ledger.step("what is pure on wasm", wasm)
}

/// Names in pages, and the docs.
pub(crate) fn docs() -> anyhow::Result<()> {
    names::check()?;
    docs::check()
}

/// The same as a process with a mark, so that what it leaves behind can be found.
fn run_marked() -> anyhow::Result<()> {
    let status = Command::new(std::env::current_exe()?)
        .arg("ci")
        .env(leftovers::MARK, std::process::id().to_string())
        .status()
        .context("start this program again")?;
    if !status.success() {
        bail!("not everything passed");
    }
    Ok(())
}

/// `cargo xtask tools`: installs what the steps need, where it is missing.
pub(crate) fn install() -> anyhow::Result<()> {
    let deadline = Instant::now() + INSTALL_LIMIT;
    if !tools::runs(Command::new("c++").arg("--version")) {
        tools::apt_install(&["g++"], deadline).context("libFuzzer needs a C++ compiler")?;
    }
    proxies::install(deadline)?;
    peers::install(deadline)?;
    browser::install_axe(deadline)?;
    js::install(deadline)?;
    tools::find_chromium(deadline)?;
    tools::find_firefox(deadline)?;
    tools::find_fonts(deadline)?;
    autobahn::install(deadline)?;
    redis::install("redis-server", deadline)
}

const WASM: &str = "wasm32-unknown-unknown";

/// What is pure, for a target without clocks, sockets and threads, which rustup installs.
fn wasm() -> anyhow::Result<()> {
    if !has_wasm()? {
        report(&format!("   installing it: rustup target add {WASM}"));
        let added = Command::new("rustup")
            .args(["target", "add", WASM])
            .status();
        if !added.is_ok_and(|status| status.success()) || !has_wasm()? {
            bail!("NOT CHECKED: {WASM} is not installed, and rustup could not install it");
        }
    }
    let packages = ["--package", "revoir-proto", "--package", "revoir-adapters"];
    cargo(&[&["check", "--target", WASM], &packages[..]].concat())?;
    // Sealing tokens is for servers, and in C.
    let session = ["--package", "revoir-session", "--no-default-features"];
    cargo(&[&["check", "--target", WASM], &session[..]].concat())
}

/// Whether the toolchain has the standard library for it.
fn has_wasm() -> anyhow::Result<bool> {
    let folder = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM])
        .output()
        .context("start rustc")?;
    let folder = String::from_utf8_lossy(&folder.stdout).trim().to_owned();
    Ok(!folder.is_empty() && Path::new(&folder).exists())
}

/// Every fuzz target for a moment, from a fixed seed. The script says what it lacks.
fn fuzz() -> anyhow::Result<()> {
    let status = Command::new("bash")
        .args(["fuzz/run", FUZZ_SECONDS])
        .current_dir(crate::root())
        .status()
        .context("start bash")?;
    if !status.success() {
        bail!("`fuzz/run {FUZZ_SECONDS}` failed");
    }
    Ok(())
}

fn cargo(args: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(args)
        .env("RUSTDOCFLAGS", "-D warnings")
        .current_dir(crate::root())
        .status()
        .context("start cargo")?;
    if !status.success() {
        bail!("`cargo {}` failed", args.join(" "));
    }
    Ok(())
}
