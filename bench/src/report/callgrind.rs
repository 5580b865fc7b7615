//! Runs `measure`, natively and under callgrind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::str;

use anyhow::{Context, Result, ensure};

use crate::case::Case;
use crate::report::environment::first_line;
use crate::stacks::Stack;

/// What callgrind is told. Counting stops inside the functions that stand for the kernel, while the
/// driver reads the clock, and while a library measures the processor's speed.
const OPTIONS: [&str; 4] = [
    "--tool=callgrind",
    // One pattern: of several that begin alike, callgrind 3.19 obeys only one.
    "--toggle-collect=*::uncounted_*",
    // Toggling alone would begin with counting nothing.
    "--collect-atstart=yes",
    "--callgrind-out-file=/dev/null",
];

/// glibc copies and fills large blocks with `rep movsb` and `rep stosb`, of which callgrind counts
/// every repetition, one per byte, although a processor does 32 or 64 bytes at once. These
/// thresholds make glibc use its vector loops for every length.
const TUNABLES: &str = "glibc.cpu.x86_rep_movsb_threshold=0x40000000:\
                        glibc.cpu.x86_rep_stosb_threshold=0x40000000:\
                        glibc.cpu.x86_non_temporal_threshold=0x40000000";

/// The program `measure` and how to run it.
#[derive(Debug)]
pub struct Tool {
    measure: PathBuf,
    version: String,
}

/// Both runs of a case.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// The stack.
    pub stack: Stack,
    /// The case.
    pub case: Case,
    /// The run with N messages.
    pub short: Counts,
    /// The run with 2 N messages.
    pub long: Counts,
}

/// What one run counted.
#[derive(Clone, Copy, Debug)]
pub struct Counts {
    /// Instructions.
    pub instructions: u64,
    /// Allocations.
    pub allocations: u64,
    /// Bytes allocated.
    pub bytes: u64,
}

impl Measured {
    /// The difference of the two runs, per message.
    #[must_use]
    pub fn per_message(&self, of: impl Fn(&Counts) -> u64) -> f64 {
        let difference = of(&self.long) as f64 - of(&self.short) as f64;
        difference / self.case.messages() as f64
    }
}

impl Tool {
    /// The program beside this one.
    ///
    /// # Errors
    ///
    /// If valgrind or the program is missing.
    pub fn find() -> Result<Self> {
        let version = first_line(Path::new("."), "valgrind", &["--version"])
            .context("apt-get install valgrind")?;
        let measure = std::env::current_exe()?.with_file_name("measure");
        ensure!(
            measure.exists(),
            "build all programs: cargo build --release"
        );
        Ok(Self { measure, version })
    }

    /// What valgrind says of itself.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The command of a run, as it is shown to readers.
    #[must_use]
    pub fn shown() -> String {
        let options = OPTIONS.join("' '");
        let words = "STACK ROLE KIND ARRIVAL SIZE COUNT";
        format!("GLIBC_TUNABLES={TUNABLES} \\\nvalgrind '{options}' target/release/measure {words}")
    }

    /// Checks that the stack really echoes, every byte.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub fn check(&self, stack: Stack, case: &Case) -> Result<()> {
        let count = case.distinct();
        let mut command = Command::new(&self.measure);
        command.arg("check").args(words(stack, case, count));
        succeeded(&command.output()?)
    }

    /// Runs a case twice.
    ///
    /// # Errors
    ///
    /// If a run fails or prints what it should not.
    pub fn measure(&self, stack: Stack, case: Case) -> Result<Measured> {
        let short = self.count(stack, &case, case.messages())?;
        let long = self.count(stack, &case, 2 * case.messages())?;
        Ok(Measured {
            stack,
            case,
            short,
            long,
        })
    }

    fn count(&self, stack: Stack, case: &Case, count: usize) -> Result<Counts> {
        let mut command = Command::new("valgrind");
        command.env("GLIBC_TUNABLES", TUNABLES).args(OPTIONS);
        let output = command
            .arg(&self.measure)
            .args(words(stack, case, count))
            .output()?;
        succeeded(&output)?;
        let printed = str::from_utf8(&output.stdout)?;
        let (allocations, bytes) = printed.trim().split_once(' ').context("two numbers")?;
        let log = str::from_utf8(&output.stderr)?;
        let collected = log.lines().find_map(|line| line.split_once("Collected : "));
        let (_, instructions) = collected.context("callgrind's sum")?;
        Ok(Counts {
            instructions: instructions.trim().parse()?,
            allocations: allocations.parse()?,
            bytes: bytes.parse()?,
        })
    }
}

fn words(stack: Stack, case: &Case, count: usize) -> Vec<String> {
    let line = format!("{} {case} {count}", stack.name);
    line.split(' ').map(String::from).collect()
}

fn succeeded(output: &Output) -> Result<()> {
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "a run failed:\n{log}");
    Ok(())
}
