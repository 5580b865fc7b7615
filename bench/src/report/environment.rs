//! Where and with what it was measured.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Where and with what it was measured. Every table here begins with it.
#[derive(Debug)]
pub struct Environment {
    /// The day, in ISO 8601, UTC.
    pub date: String,
    /// How many processors there are, and their name, family and model.
    pub processor: String,
    /// The operating system.
    pub kernel: String,
    /// The compiler.
    pub rustc: String,
    /// The C library, whose copying is part of every figure.
    pub libc: String,
    /// The state of our own sources.
    pub commit: String,
    /// Packages with their versions.
    pub packages: Vec<String>,
}

impl Environment {
    /// Asks the machine, and the lock file in `bench` for the versions of `packages`.
    ///
    /// # Errors
    ///
    /// If a tool or the lock file is missing.
    pub fn ask<'a>(bench: &Path, packages: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let lock = fs::read_to_string(bench.join("Cargo.lock"))?;
        let packages: Vec<&str> = packages.into_iter().collect();
        Ok(Self {
            date: first_line(bench, "date", &["-u", "+%F"])?,
            processor: processor()?,
            kernel: first_line(bench, "uname", &["-srm"])?,
            rustc: first_line(bench, "rustc", &["--version"])?,
            libc: first_line(bench, "ldd", &["--version"])?,
            commit: first_line(bench, "git", &["rev-parse", "--short", "HEAD"])?,
            packages: versions(&lock, &packages),
        })
    }
}

/// The first line that a program prints.
///
/// # Errors
///
/// If the program is missing, or prints what is not UTF-8.
pub(crate) fn first_line(folder: &Path, program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    let output = output.with_context(|| format!("{program} is missing"))?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().next().unwrap_or_default().into())
}

fn processor() -> Result<String> {
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let values = |name: &'static str| {
        info.lines().filter_map(move |line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then_some(value.trim())
        })
    };
    let count = values("processor").count();
    let field = |name| values(name).next().unwrap_or("unknown");
    let (name, family, model) = (field("model name"), field("cpu family"), field("model"));
    Ok(format!(
        "{count} x {name}, family {family}, model {model}, virtual"
    ))
}

/// What the lock file says of each, in its order.
fn versions(lock: &str, packages: &[&str]) -> Vec<String> {
    let entries = lock.split("[[package]]").filter_map(|entry| {
        let value = |key| {
            let line = entry.lines().find_map(|line| line.strip_prefix(key));
            line.map(|line| line.trim_matches([' ', '=', '"']))
        };
        Some((value("name")?, value("version")?))
    });
    let wanted = entries.filter(|(name, _)| packages.contains(name));
    wanted
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}
