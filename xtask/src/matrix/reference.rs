//! What the reference says of an implementation from reading, beside what was measured.

use crate::data::{Data, OUTCOMES, codes_crate};

/// The keys of both, in words.
const WORDS: [(&str, &str); 8] = [
    ("any", "told whatever the code"),
    ("refused", "told of a code that nobody has defined"),
    ("empty", "told of a Close frame without a code"),
    ("fin", "told of FIN"),
    ("rst", "told of RST"),
    ("handshake", "told of a refused handshake"),
    ("sends_for_bad_text", "sends for text that is not UTF-8"),
    ("sends_for_bad_frame", "sends for a reserved opcode"),
];

/// How many statements were compared, and those that do not hold: a row of a table each.
pub(super) fn compare() -> anyhow::Result<(usize, Vec<String>)> {
    let data = Data::read(&codes_crate().join("data"))?;
    let mut compared = 0;
    let mut rows = Vec::new();
    for read in &data.read {
        let same = |row: &&crate::data::Observed| row.name == read.name;
        for measured in data.measured.iter().filter(same) {
            for (key, of) in OUTCOMES {
                let (Some(before), Some(now)) = (of(read), of(measured)) else {
                    continue;
                };
                compared += 1;
                if before != now {
                    let words = WORDS.iter().find(|(name, _)| *name == key);
                    rows.push(format!(
                        "| {} | {} | {} | {before} ({}, {}) | {now} ({}) |",
                        read.name,
                        measured.side.as_deref().unwrap_or_default(),
                        words.map_or(key, |(_, words)| words),
                        read.version,
                        read.evidence,
                        measured.version,
                    ));
                }
            }
        }
    }
    Ok((compared, rows))
}
