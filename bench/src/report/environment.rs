//! Where and with what it was measured.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::stacks::{OURS, STACKS};

/// Where and with what it was measured.
#[derive(Debug)]
pub struct Environment {
    /// The day, in ISO 8601, UTC.
    pub date: String,
    /// The processor's name, family and model.
    pub processor: String,
    /// The compiler.
    pub rustc: String,
    /// The counter.
    pub valgrind: String,
    /// The C library, whose copying is part of every figure.
    pub libc: String,
    /// Packages with their versions.
    pub packages: Vec<String>,
}

impl Environment {
    /// Asks the machine, and the lock file in `bench`.
    ///
    /// # Errors
    ///
    /// If a tool or the lock file is missing.
    pub fn ask(bench: &Path) -> Result<Self> {
        let lock = fs::read_to_string(bench.join("Cargo.lock"))?;
        Ok(Self {
            date: first_line("date", &["-u", "+%F"])?,
            processor: processor()?,
            rustc: first_line("rustc", &["--version"])?,
            valgrind: first_line("valgrind", &["--version"])?,
            libc: first_line("ldd", &["--version"])?,
            packages: packages(&lock),
        })
    }
}

fn first_line(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("{program} is missing"))?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().next().unwrap_or_default().into())
}

fn processor() -> Result<String> {
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let field = |name| {
        let line = info
            .lines()
            .find(|line| line.split(':').next().map(str::trim) == Some(name));
        line.and_then(|line| line.split(':').nth(1))
            .unwrap_or("unknown")
            .trim()
    };
    let (name, family, model) = (field("model name"), field("cpu family"), field("model"));
    Ok(format!("{name}, family {family}, model {model}"))
}

fn packages(lock: &str) -> Vec<String> {
    let others = ["bytes", "rand", "simdutf8", "tokio"];
    let peers = STACKS
        .iter()
        .map(|stack| stack.package)
        .filter(|package| *package != OURS);
    let wanted: BTreeSet<&str> = peers.chain(others).collect();
    let entries = lock.split("[[package]]").filter_map(|entry| {
        let value = |key| {
            let line = entry.lines().find_map(|line| line.strip_prefix(key));
            line.map(|line| line.trim_matches([' ', '=', '"']))
        };
        Some((value("name")?, value("version")?))
    });
    let wanted = entries.filter(|(name, _)| wanted.contains(name));
    wanted
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}
