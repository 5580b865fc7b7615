//! The ledger of blind measurements: who measured what when, and no more often than may be.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::figures::Figures;

/// How often one batch of rows may be measured; who looks more often tunes to it.
const MOST: usize = 3;

/// So many new rows make a new batch.
const LEAST_BATCH: usize = 20;

const HEAD: &str = "\
# Measurements of the blind half, written by `cargo xtask corpus`. A batch of rows may be measured three
# times, and once more with an engine from before it was written down (`baseline`).
";

#[derive(Debug, Default, Deserialize)]
struct LedgerFile {
    #[serde(default)]
    batch: Vec<Batch>,
    #[serde(default)]
    measurement: Vec<Measurement>,
}

#[derive(Debug, Deserialize)]
struct Batch {
    number: usize,
}

#[derive(Debug, Deserialize)]
struct Measurement {
    batch: usize,
    baseline: bool,
}

/// The ledger.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    text: String,
    file: LedgerFile,
}

impl Ledger {
    pub(super) fn open() -> anyhow::Result<Self> {
        Self::at(super::store::folder().join("ledger.toml"))
    }

    fn at(path: PathBuf) -> anyhow::Result<Self> {
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => HEAD.to_owned(),
            read => read.with_context(|| format!("read {}", path.display()))?,
        };
        let file = toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        Ok(Self { path, text, file })
    }

    fn batch(&self) -> usize {
        self.file.batch.last().map_or(0, |batch| batch.number)
    }

    /// Notes new rows. A few of them do not make a batch that may be measured anew.
    pub(super) fn rows_came(mut self, new: usize, all: usize, today: &str) -> anyhow::Result<()> {
        if new < LEAST_BATCH && self.batch() > 0 {
            return Ok(());
        }
        let number = self.batch() + 1;
        let _ = write!(
            self.text,
            "\n[[batch]]\nnumber = {number}\ndate = \"{today}\"\nnew = {new}\nrows = {all}\n"
        );
        self.save()
    }

    /// Refuses one measurement too many.
    pub(super) fn may_measure(&self, baseline: bool) -> anyhow::Result<()> {
        let batch = self.batch();
        let so_far = self.file.measurement.iter();
        let so_far = so_far.filter(|of| of.batch == batch && of.baseline == baseline);
        let most = if baseline { 1 } else { MOST };
        ensure!(
            so_far.count() < most,
            "this batch of blind rows was measured {most} times; add {LEAST_BATCH} new rows first"
        );
        Ok(())
    }

    /// Refuses as long as the last batch may still be measured.
    pub(super) fn is_spent(&self) -> anyhow::Result<()> {
        ensure!(
            self.may_measure(false).is_err(),
            "this batch of blind rows may still be measured: retire single rows"
        );
        Ok(())
    }

    pub(super) fn note(
        mut self,
        commit: &str,
        today: &str,
        baseline: bool,
        figures: &Figures,
    ) -> anyhow::Result<()> {
        let batch = self.batch();
        let _ = write!(
            self.text,
            "\n[[measurement]]\nbatch = {batch}\ncommit = \"{commit}\"\ndate = \"{today}\"\n\
             baseline = {baseline}\nrows = {}\nfirst = {}\nfirst_three = {}\nnone_known = {}\n\
             none_right = {}\nsure = {}\nsure_right = {}\nfailed = {}\nlog_score = {:.4}\n",
            figures.rows,
            figures.first,
            figures.first_three,
            figures.none_known,
            figures.none_right,
            figures.sure,
            figures.sure_right,
            figures.failed,
            figures.log_score,
        );
        self.save()
    }

    fn save(&self) -> anyhow::Result<()> {
        fs::create_dir_all(self.path.parent().context("a file has a folder")?)?;
        fs::write(&self.path, &self.text).with_context(|| format!("write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_measured_three_times_and_once_as_it_was() {
        let path = std::env::temp_dir().join(format!("ledger-{}.toml", std::process::id()));
        let open = || Ledger::at(path.clone()).unwrap();
        open().rows_came(150, 150, "2026-01-01").unwrap();
        for _ in 0..MOST {
            let ledger = open();
            ledger.may_measure(false).unwrap();
            ledger.is_spent().unwrap_err();
            ledger
                .note("abc", "2026-01-01", false, &Figures::default())
                .unwrap();
        }
        open().may_measure(false).unwrap_err();
        open().is_spent().unwrap();
        open().may_measure(true).unwrap();
        open()
            .note("old", "2026-01-01", true, &Figures::default())
            .unwrap();
        open().may_measure(true).unwrap_err();
        open().rows_came(3, 153, "2026-01-02").unwrap();
        open().may_measure(false).unwrap_err();
        open().rows_came(20, 173, "2026-01-02").unwrap();
        open().may_measure(false).unwrap();
        fs::remove_file(&path).unwrap();
    }
}
