//! Measurements, one a line in a file, so that slices can be measured at different times.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};

/// One server in one round of one case.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The case, as it is displayed.
    pub case: String,
    /// The server.
    pub stack: String,
    /// Echo: nanoseconds of the server's processor for each message. Idle: bytes resident for each
    /// connection.
    pub cost: f64,
    /// Echo: messages in a second.
    pub rate: f64,
    /// Echo: the share of the time in which the server was on its processor.
    pub busy: f64,
}

impl Record {
    fn line(&self) -> String {
        format!(
            "{}\t{}\t{}\t{}\t{}\n",
            self.case, self.stack, self.cost, self.rate, self.busy
        )
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        Some(Self {
            case: fields.next()?.into(),
            stack: fields.next()?.into(),
            cost: fields.next()?.parse().ok()?,
            rate: fields.next()?.parse().ok()?,
            busy: fields.next()?.parse().ok()?,
        })
    }
}

/// Everything recorded in a file; nothing if there is none.
///
/// # Errors
///
/// If it cannot be read.
pub fn load(path: &Path) -> Result<Vec<Record>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let records = text.lines().map(Record::parse);
    let records: Option<Vec<Record>> = records.collect();
    records.with_context(|| format!("{} is damaged", path.display()))
}

/// Replaces what the file says about the cases of `records`.
///
/// # Errors
///
/// If it cannot be written.
pub fn replace(path: &Path, records: &[Record]) -> Result<()> {
    let mut all = load(path)?;
    all.retain(|old| records.iter().all(|new| new.case != old.case));
    all.extend_from_slice(records);
    let lines: Vec<String> = all.iter().map(Record::line).collect();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, lines.concat()).with_context(|| format!("{}", path.display()))
}
