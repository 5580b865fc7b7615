//! What the reference says of an implementation from reading, beside what was measured.

use crate::data::{Data, codes_crate, compared_keys, pairs};

/// How many statements were compared, and those that do not hold: a row of a table each.
pub(super) fn compare() -> anyhow::Result<(usize, Vec<String>)> {
    let data = Data::read(&codes_crate().join("data"))?;
    let mut compared = 0;
    let mut rows = Vec::new();
    for (read, measured) in pairs(&data) {
        for statement in compared_keys(read, measured) {
            compared += 1;
            if statement.before != statement.now {
                rows.push(format!(
                    "| {} | {} | {} | {} ({}, {}) | {} ({}) |",
                    read.name,
                    measured.side.as_deref().unwrap_or_default(),
                    statement.words,
                    statement.before,
                    read.version,
                    read.evidence,
                    statement.now,
                    measured.version,
                ));
            }
        }
    }
    Ok((compared, rows))
}
