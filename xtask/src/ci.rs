//! Everything that `.ci/run` checks after `cargo test`, step by step, loudly.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::report;

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
    report("== data");
    crate::data::check()?;
    for (name, args) in STEPS {
        report(&format!("== {name}: cargo {}", args.join(" ")));
        cargo(args)?;
    }
    wasm()?;
    deny()?;
    report("== all steps passed");
    Ok(())
}

/// The protocol core for a target without clocks, sockets and threads, where it is installed.
fn wasm() -> anyhow::Result<()> {
    const TARGET: &str = "wasm32-unknown-unknown";
    report(&format!("== the protocol core on {TARGET}"));
    let folder = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("start rustc")?;
    let folder = String::from_utf8_lossy(&folder.stdout).trim().to_owned();
    if folder.is_empty() || !Path::new(&folder).exists() {
        report(&format!(
            "   not checked: run `rustup target add {TARGET}` to have it checked"
        ));
        return Ok(());
    }
    cargo(&["check", "-p", "revoir-proto", "--target", TARGET])
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
    report("== dependencies: cargo deny");
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
