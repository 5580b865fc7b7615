//! Where the rows are: the working half in a plain file, the blind one in a compressed one, so that
//! no search of the repository reads it by accident.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Deserialize;

use super::row::Row;

/// The two halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Working,
    Blind,
}

pub(super) fn folder() -> PathBuf {
    crate::root().join("testdata/diagnosis/strangers")
}

impl Half {
    fn path(self) -> PathBuf {
        folder().join(match self {
            Self::Working => "working.jsonl",
            Self::Blind => "blind.jsonl.gz",
        })
    }

    /// Every row of this half; none if there is no file yet.
    pub(super) fn read(self) -> anyhow::Result<Vec<Row>> {
        let path = self.path();
        let mut text = String::new();
        let read = match (File::open(&path), self) {
            (Err(error), _) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            (Ok(mut file), Self::Working) => file.read_to_string(&mut text),
            (Ok(file), Self::Blind) => GzDecoder::new(file).read_to_string(&mut text),
            (Err(error), _) => Err(error),
        };
        read.with_context(|| format!("read {}", path.display()))?;
        Row::read_all(&text).with_context(|| format!("in {}", path.display()))
    }

    pub(super) fn write(self, rows: &[Row]) -> anyhow::Result<()> {
        let text = Row::write_all(rows)?;
        let bytes = match self {
            Self::Working => text.into_bytes(),
            Self::Blind => {
                let mut packed = GzEncoder::new(Vec::new(), Compression::best());
                packed.write_all(text.as_bytes())?;
                packed.finish()?
            }
        };
        let path = self.path();
        fs::create_dir_all(folder())?;
        fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))
    }
}

/// How many rows went where.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Added {
    pub(super) working: usize,
    pub(super) blind: usize,
    pub(super) known: usize,
}

/// Adds rows, each to its half. One that is there already, by its id or the address of its thread, is left as
/// it is.
pub(super) fn add(rows: Vec<Row>) -> anyhow::Result<Added> {
    let causes: Vec<String> = causes()?.into_iter().map(|cause| cause.id).collect();
    for row in &rows {
        row.check(&causes)?;
    }
    let (mut working, mut blind) = (Half::Working.read()?, Half::Blind.read()?);
    let there = || working.iter().chain(&blind);
    let mut ids: BTreeSet<String> = there().map(|row| row.id.clone()).collect();
    let mut threads: BTreeSet<String> = there().map(Row::thread).collect();
    // A product whose rows were looked at has no blind ones any more.
    let looked_at: BTreeSet<String> = working.iter().map(Row::product_name).collect();
    let mut added = Added::default();
    for row in rows {
        if !(ids.insert(row.id.clone()) & threads.insert(row.thread())) {
            added.known += 1;
        } else if row.is_blind() && !looked_at.contains(&row.product_name()) {
            added.blind += 1;
            blind.push(row);
        } else {
            added.working += 1;
            working.push(row);
        }
    }
    if added.working > 0 {
        Half::Working.write(&working)?;
    }
    if added.blind > 0 {
        Half::Blind.write(&blind)?;
    }
    Ok(added)
}

/// Moves a row that was looked at to the working half.
pub(super) fn retire(id: &str, why: &str) -> anyhow::Result<()> {
    match move_out(|row| row.id == id, why)? {
        0 => bail!("the blind half has no row `{id}`"),
        _ => Ok(()),
    }
}

/// Moves all blind rows to the working half, and says how many.
pub(super) fn retire_all(why: &str) -> anyhow::Result<usize> {
    move_out(|_| true, why)
}

/// Moves blind rows to the working half, and says how many.
fn move_out(is_meant: impl Fn(&Row) -> bool, why: &str) -> anyhow::Result<usize> {
    let mut working = Half::Working.read()?;
    let (mut moved, blind): (Vec<Row>, Vec<Row>) = Half::Blind
        .read()?
        .into_iter()
        .partition(|row| is_meant(row));
    for row in &mut moved {
        row.retired = Some(why.to_owned());
    }
    let count = moved.len();
    working.append(&mut moved);
    Half::Working.write(&working)?;
    Half::Blind.write(&blind)?;
    Ok(count)
}

/// Maps rows anew, after the catalogue has got another cause: each line is an id and what the row
/// expects from now on.
pub(super) fn remap(text: &str) -> anyhow::Result<usize> {
    #[derive(Deserialize)]
    struct Mapped {
        id: String,
        expected: Vec<String>,
    }
    let causes: Vec<String> = causes()?.into_iter().map(|cause| cause.id).collect();
    let mut changed = 0;
    let mut halves = [Half::Working, Half::Blind].map(|half| (half, half.read(), false));
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let Mapped { id, expected } = serde_json::from_str(line).context("an id and `expected`")?;
        for (_, rows, is_changed) in &mut halves {
            let rows = rows
                .as_mut()
                .map_err(|error| anyhow::anyhow!("{error:#}"))?;
            for row in rows.iter_mut().filter(|row| row.id == id) {
                row.expected.clone_from(&expected);
                row.check(&causes)?;
                changed += 1;
                *is_changed = true;
            }
        }
    }
    for (half, rows, is_changed) in halves {
        if is_changed {
            half.write(&rows?)?;
        }
    }
    Ok(changed)
}

/// A cause of the catalogue.
#[derive(Debug, Deserialize)]
pub(super) struct Cause {
    pub(super) id: String,
}

/// The causes of the catalogue, in its order.
pub(super) fn causes() -> anyhow::Result<Vec<Cause>> {
    #[derive(Deserialize)]
    struct Causes {
        cause: Vec<Cause>,
    }
    let path = crate::root().join("crates/revoir-codes/data/causes.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    Ok(toml::from_str::<Causes>(&text)?.cause)
}

/// The title of every cause, by its id.
pub(super) fn titles() -> anyhow::Result<Vec<(String, String)>> {
    let path = crate::root().join("crates/revoir-codes/data/locales/en/causes.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let texts: toml::Table = toml::from_str(&text)?;
    let title = |id: &str| texts.get(id)?.get("title")?.as_str().map(str::to_owned);
    let causes = causes()?.into_iter();
    Ok(causes
        .map(|cause| (title(&cause.id).unwrap_or_default(), cause.id))
        .map(|(title, id)| (id, title))
        .collect())
}
