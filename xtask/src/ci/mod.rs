//! Everything that `.ci/run` checks after `cargo test`, step by step, loudly.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};

use crate::report;

/// How long each fuzz target runs, in seconds: long enough for its seeds and the neighbours.
const FUZZ_SECONDS: &str = "5";

/// One step: a name, and a cargo command.
const STEPS: &[(&str, &[&str])] = &[
    ("format", &["fmt", "--all", "--check"]),
    (
        "lints, with the default features",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    ),
    (
        "lints, with every feature",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ],
    ),
    (
        "the codes without features",
        &["clippy", "-p", "revoir-codes", "--", "-D", "warnings"],
    ),
    (
        "docs",
        &["doc", "--workspace", "--no-deps", "--all-features"],
    ),
];

/// Runs every step and stops at the first that fails.
pub(crate) fn run() -> anyhow::Result<()> {
    step("data", crate::data::check)?;
    for (name, args) in STEPS {
        step(&format!("{name}: cargo {}", args.join(" ")), || cargo(args))?;
    }
    step(&format!("the protocol core on {WASM}"), wasm)?;
    step(&format!("fuzz/run {FUZZ_SECONDS}"), fuzz)?;
    step("dependencies: cargo deny", deny)?;
    step("real proxies", || crate::proxies::run(false))?;
    step("interoperability", || crate::interop::run(false))?;
    step("the pages in a browser", || crate::browser::run(None))?;
    step("the gateway", || crate::gateway::run(2))?;
    step("the Autobahn test suite", crate::autobahn::run)?;
    report("== all steps passed");
    Ok(())
}

/// Names the step, and says how long it took.
fn step(name: &str, run: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    report(&format!("== {name}"));
    let begin = Instant::now();
    run()?;
    report(&format!("   passed in {} s", begin.elapsed().as_secs()));
    Ok(())
}

const WASM: &str = "wasm32-unknown-unknown";

/// The protocol core for a target without clocks, sockets and threads. Rustup installs it; another
/// toolchain may not have it.
fn wasm() -> anyhow::Result<()> {
    if !has_wasm()? {
        report(&format!("   installing it: rustup target add {WASM}"));
        let added = Command::new("rustup")
            .args(["target", "add", WASM])
            .status();
        if !added.is_ok_and(|status| status.success()) || !has_wasm()? {
            report("   NOT CHECKED: it is not installed, and rustup could not install it");
            return Ok(());
        }
    }
    cargo(&["check", "-p", "revoir-proto", "--target", WASM])
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

/// Bans, licences and sources of every dependency. The advisory database is a git repository that
/// CI cannot reach, so advisories are not checked here.
fn deny() -> anyhow::Result<()> {
    let installed = Command::new(env!("CARGO"))
        .args(["deny", "--version"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !installed {
        report("   cargo-deny is not installed; installing it (a few minutes, once)");
        cargo(&["install", "cargo-deny", "--locked", "--quiet"])?;
    }
    cargo(&[
        "deny",
        "--all-features",
        "check",
        "bans",
        "licenses",
        "sources",
    ])
}
