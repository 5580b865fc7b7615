//! `cargo xtask corpus`: what `revoir diagnose` says of strangers' cases. The working half is shown row
//! by row; of the blind half nothing but totals, and each look at it is written down.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

mod figures;
#[cfg(feature = "fit")]
mod fit;
mod ledger;
mod row;
mod store;
mod verdict;

use figures::Figures;
use ledger::Ledger;
use row::Row;
use store::Half;
use verdict::Verdict;

use crate::print;

const USAGE: &str = "\
cargo xtask corpus add FILE...        add rows (JSON lines; testdata/diagnosis/README.md has the fields);
                                      a hash of the product decides which half each belongs to
cargo xtask corpus working            what revoir says of every working row, and the figures
cargo xtask corpus blind              the figures of the blind half, and nothing else; each measurement
                                      enters the ledger, three for a batch of rows
cargo xtask corpus retire ID WHY      move a blind row that was looked at to the working half
cargo xtask corpus retire --all WHY   move all blind rows there, once the ledger allows no more measurement
cargo xtask corpus remap FILE         JSON lines of `id` and `expected`: map rows to causes anew
cargo xtask corpus fit                which weights the working half, our own cases and texts would choose,
                                      and what products get that had no say; rows that do not run are named
cargo xtask corpus fit --write        the same, and write the weights that all chose into causes.toml
cargo xtask corpus causes             ids and titles of the causes, for whoever maps a row

working, blind, fit:
  --binary PATH                       ask another build, by default that of this tree
  --baseline COMMIT                   with --binary: the build is one of that commit, from before the
                                      rows were written down; the blind half allows it once more";

/// Does what the command line says.
pub(crate) fn run(args: &[&str]) -> anyhow::Result<()> {
    match args {
        ["add", files @ ..] if !files.is_empty() => add(files),
        ["working", options @ ..] => working(&Engine::new(options)?),
        ["fit", options @ ..] => fit(options),
        ["blind", options @ ..] => blind(&Engine::new(options)?),
        ["retire", "--all", why] => {
            Ledger::open()?.is_spent()?;
            print(&format!("{} rows are retired", store::retire_all(why)?));
            Ok(())
        }
        ["retire", id, why] => store::retire(id, why),
        ["remap", file] => {
            let changed = store::remap(&read(file)?)?;
            print(&format!("{changed} rows are mapped anew"));
            Ok(())
        }
        ["causes"] => {
            for (id, title) in store::titles()? {
                print(&format!("{id}: {title}"));
            }
            Ok(())
        }
        [] | ["-h" | "--help"] => {
            print(USAGE);
            Ok(())
        }
        _ => bail!("unknown arguments `{}`\n\n{USAGE}", args.join(" ")),
    }
}

#[cfg(feature = "fit")]
fn fit(options: &[&str]) -> anyhow::Result<()> {
    let (write, engine): (Vec<&str>, Vec<&str>) =
        options.iter().partition(|option| **option == "--write");
    fit::fit(&Engine::new(&engine)?.binary, !write.is_empty())
}

/// Starts this command once more, built with what it asks. Everything else is built without it: it writes
/// the source of that crate.
#[cfg(not(feature = "fit"))]
fn fit(options: &[&str]) -> anyhow::Result<()> {
    let status = Command::new("cargo")
        .args(["run", "--quiet", "--package", "xtask", "--features", "fit"])
        .args(["--", "corpus", "fit"])
        .args(options)
        .current_dir(crate::root())
        .status()
        .context("start cargo")?;
    ensure!(status.success(), "the fit failed");
    Ok(())
}

/// Whom to ask.
struct Engine {
    binary: PathBuf,
    baseline: Option<String>,
    is_own: bool,
}

impl Engine {
    fn new(options: &[&str]) -> anyhow::Result<Self> {
        let (mut binary, mut baseline) = (None, None);
        for pair in options.chunks(2) {
            match pair {
                ["--binary", path] => binary = Some(PathBuf::from(path)),
                ["--baseline", commit] => baseline = Some((*commit).to_owned()),
                _ => bail!("unknown arguments `{}`\n\n{USAGE}", options.join(" ")),
            }
        }
        ensure!(
            baseline.is_none() || binary.is_some(),
            "--baseline needs the --binary that was built of that commit"
        );
        Ok(Self {
            is_own: binary.is_none(),
            binary: match binary {
                Some(binary) => binary,
                None => build()?,
            },
            baseline,
        })
    }

    fn judge(&self, rows: Vec<Row>) -> anyhow::Result<Vec<(Row, Verdict)>> {
        let judge = |row| Ok((Verdict::of(&row, &self.binary)?, row));
        let judged = rows.into_iter().map(judge);
        judged
            .map(|result: anyhow::Result<_>| result.map(|(verdict, row)| (row, verdict)))
            .collect()
    }
}

/// Builds revoir as it is here.
fn build() -> anyhow::Result<PathBuf> {
    let status = Command::new("cargo")
        .args(["build", "--package", "revoir-cli", "--quiet"])
        .current_dir(crate::root())
        .status()
        .context("start cargo")?;
    ensure!(status.success(), "revoir does not build");
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| crate::root().join("target"));
    Ok(target.join("debug/revoir"))
}

fn add(files: &[&str]) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for file in files {
        let read = Row::read_all(&read(file)?);
        rows.extend(read.with_context(|| format!("in {file}"))?);
    }
    let added = store::add(rows)?;
    if added.blind > 0 {
        let all = Half::Blind.read()?.len();
        Ledger::open()?.rows_came(added.blind, all, &today()?)?;
    }
    print(&format!(
        "{} working rows and {} blind ones are new, {} were there",
        added.working, added.blind, added.known
    ));
    Ok(())
}

fn working(asked: &Engine) -> anyhow::Result<()> {
    let judged = asked.judge(Half::Working.read()?)?;
    for (row, verdict) in &judged {
        let rank = verdict.rank(row);
        let mark = match rank {
            Some(1) => "ok   ",
            Some(2 | 3) => "three",
            _ if verdict.failed => "unrun",
            _ => "WRONG",
        };
        let said: Vec<String> = verdict
            .named
            .iter()
            .take(3)
            .map(|(id, share)| format!("{id} {share} %"))
            .collect();
        print(&format!(
            "{mark} {} [{}] {}; expected {}",
            row.id,
            row.product,
            said.join(", "),
            row.expected.join(" or ")
        ));
    }
    print(&format!("\n{}", Figures::of(&judged).table()));
    Ok(())
}

fn blind(asked: &Engine) -> anyhow::Result<()> {
    let ledger = Ledger::open()?;
    let baseline = asked.baseline.is_some();
    ledger.may_measure(baseline)?;
    let commit = measured(asked)?;
    let rows = Half::Blind.read()?;
    ensure!(!rows.is_empty(), "there are no blind rows");
    let figures = Figures::of(&asked.judge(rows)?);
    ledger.note(&commit, &today()?, baseline, &figures)?;
    print(&figures.table());
    Ok(())
}

/// The commit that is measured.
fn measured(asked: &Engine) -> anyhow::Result<String> {
    if let Some(commit) = &asked.baseline {
        return Ok(commit.clone());
    }
    ensure!(asked.is_own, "--binary needs --baseline here");
    let changed = git(&["status", "--porcelain", "--", "crates"])?;
    ensure!(changed.is_empty(), "commit what is changed in crates first");
    git(&["rev-parse", "--short", "HEAD"])
}

fn read(file: &str) -> anyhow::Result<String> {
    fs::read_to_string(Path::new(file)).with_context(|| format!("read {file}"))
}

fn git(args: &[&str]) -> anyhow::Result<String> {
    said(Command::new("git").args(args).current_dir(crate::root()))
}

fn today() -> anyhow::Result<String> {
    said(Command::new("date").args(["-u", "+%F"]))
}

fn said(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("start {command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
