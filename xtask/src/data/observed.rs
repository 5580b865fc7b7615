//! Which rows on implementations the reference shows: what was measured before what was read, and no two that differ.

use super::model::{Data, Observed};

/// A row, and whether another is about a newer version.
pub(super) struct ShownRow<'a> {
    pub(super) row: &'a Observed,
    pub(super) outdated: bool,
}

/// The rows that are shown, by name. A reading is, where nothing was measured or only a version that is kept for want of a
/// newer one, which then is outdated.
pub(super) fn shown(data: &Data) -> Vec<ShownRow<'_>> {
    let measured = data.measured.iter().map(|row| ShownRow {
        row,
        outdated: data.read.iter().any(|read| is_newer(read, row)),
    });
    let stands = |read: &&Observed| {
        let mut same = data.measured.iter().filter(|row| row.name == read.name);
        same.all(|row| is_newer(read, row))
    };
    let read = data.read.iter().filter(stands).map(|row| ShownRow {
        row,
        outdated: false,
    });
    let mut all: Vec<_> = measured.chain(read).collect();
    all.sort_by_key(|shown| {
        let row = shown.row;
        (row.name.to_lowercase(), shown.outdated, row.side.clone())
    });
    all
}

/// Whether a reading is of a newer version than the one that was measured.
fn is_newer(read: &Observed, measured: &Observed) -> bool {
    read.name == measured.name && measured.released.is_some() && !is_version_of(read, measured)
}

/// Whether both are of one version: `0.30` is any `0.30.1`.
fn is_version_of(read: &Observed, measured: &Observed) -> bool {
    let rest = measured.version.strip_prefix(&read.version);
    !read.version.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What was read and measured otherwise, of the same version and side.
pub(super) fn conflicts(data: &Data) -> Vec<String> {
    let mut found = Vec::new();
    for (read, measured) in pairs(data).filter(|(read, measured)| is_version_of(read, measured)) {
        let ranges = |row: &Observed| row.accepts.as_ref().map(|ranges| format!("{ranges:?}"));
        let accepts = both("accepts", "accepts", ranges(read), ranges(measured));
        for both in accepts.into_iter().chain(compared_keys(read, measured)) {
            let BothSay {
                key, before, now, ..
            } = both;
            if before != now {
                found.push(format!(
                    "observed/read: {} {}: `{key}` is {before}, but {now} was measured ({} {})",
                    read.name,
                    read.version,
                    measured.version,
                    measured.side.as_deref().unwrap_or("both sides"),
                ));
            }
        }
    }
    found
}

/// What was read of an implementation beside what was measured of it, on the same side.
pub(crate) fn pairs(data: &Data) -> impl Iterator<Item = (&Observed, &Observed)> {
    data.read.iter().flat_map(|read| {
        let same = |row: &&Observed| {
            let side = read.side.is_none() || read.side == row.side;
            read.name == row.name && side
        };
        data.measured
            .iter()
            .filter(same)
            .map(move |row| (read, row))
    })
}

/// What both say of the same.
pub(crate) struct BothSay {
    key: &'static str,
    /// The key, in words.
    pub(crate) words: &'static str,
    pub(crate) before: String,
    pub(crate) now: String,
}

/// What both say of what the application is told, and of what is sent.
pub(crate) fn compared_keys(read: &Observed, measured: &Observed) -> impl Iterator<Item = BothSay> {
    OUTCOMES
        .into_iter()
        .filter_map(move |(key, words, of)| both(key, words, of(read), of(measured)))
}

fn both(
    key: &'static str,
    words: &'static str,
    before: Option<String>,
    now: Option<String>,
) -> Option<BothSay> {
    let (before, now) = (before?, now?);
    Some(BothSay {
        key,
        words,
        before,
        now,
    })
}

type OutcomeKey = (&'static str, &'static str, fn(&Observed) -> Option<String>);

/// The keys about what the application is told and what is sent, in words too.
const OUTCOMES: [OutcomeKey; 8] = [
    ("any", "told whatever the code", |row| {
        text(row.any.as_ref())
    }),
    ("refused", "told of a code that nobody has defined", |row| {
        text(row.refused.as_ref())
    }),
    ("empty", "told of a Close frame without a code", |row| {
        text(row.empty.as_ref())
    }),
    ("fin", "told of FIN", |row| text(row.fin.as_ref())),
    ("rst", "told of RST", |row| text(row.rst.as_ref())),
    ("handshake", "told of a refused handshake", |row| {
        text(row.handshake.as_ref())
    }),
    (
        "sends_for_bad_text",
        "sends for text that is not UTF-8",
        |row| text(row.sends_for_bad_text),
    ),
    (
        "sends_for_bad_frame",
        "sends for a reserved opcode",
        |row| text(row.sends_for_bad_frame),
    ),
];

fn text(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> Data {
        let mut data = Data::read(&crate::root().join("crates/revoir-codes/data")).unwrap();
        data.measured
            .retain(|row| row.name == "ws" && row.side.as_deref() == Some("client"));
        data.read.clear();
        assert_eq!(data.measured.len(), 1);
        data
    }

    fn reading(data: &Data) -> Observed {
        Observed {
            side: None,
            evidence: "read".to_owned(),
            ..data.measured[0].clone()
        }
    }

    #[test]
    fn a_reading_that_differs_from_what_was_measured_of_the_version_is_named() {
        let mut data = data();
        data.read = vec![reading(&data)];
        assert_eq!(conflicts(&data), Vec::<String>::new());
        data.read[0].fin = Some(crate::data::Outcome::Code(1000));
        let found = conflicts(&data);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("`fin` is 1000, but 1006 was measured"),
            "{found:?}"
        );
        "7.0".clone_into(&mut data.read[0].version);
        assert_eq!(conflicts(&data), Vec::<String>::new());
    }

    #[test]
    fn what_was_measured_is_shown_unless_a_newer_version_was_read() {
        let mut data = data();
        let mut newer = reading(&data);
        "2026-07".clone_into(&mut newer.version);
        data.read = vec![newer];
        let evidence = |data: &Data| -> Vec<(String, bool)> {
            let all = shown(data).into_iter();
            all.map(|shown| (shown.row.evidence.clone(), shown.outdated))
                .collect()
        };
        assert_eq!(evidence(&data), [("measured".to_owned(), false)]);
        data.measured[0].released = Some("2020-01".to_owned());
        let both = [("read".to_owned(), false), ("measured".to_owned(), true)];
        assert_eq!(evidence(&data), both);
    }
}
