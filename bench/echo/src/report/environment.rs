//! Where and with what it was measured.

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
    /// The processor's name, and how many there are.
    pub processor: String,
    /// The operating system.
    pub kernel: String,
    /// The compiler.
    pub rustc: String,
    /// The state of our own sources.
    pub commit: String,
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
            date: first_line(bench, "date", &["-u", "+%F"])?,
            processor: processor()?,
            kernel: first_line(bench, "uname", &["-srm"])?,
            rustc: first_line(bench, "rustc", &["--version"])?,
            commit: first_line(bench, "git", &["rev-parse", "--short", "HEAD"])?,
            packages: packages(&lock),
        })
    }
}

fn first_line(folder: &Path, program: &str, arguments: &[&str]) -> Result<String> {
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

/// What the lock file says of the peers, and of the runtime.
fn packages(lock: &str) -> Vec<String> {
    let peers = STACKS.iter().filter_map(|stack| stack.package);
    let wanted: Vec<&str> = peers
        .chain(["tokio", "tungstenite"])
        .filter(|package| *package != OURS)
        .collect();
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
