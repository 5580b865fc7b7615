//! The texts of a language as they stand in its files.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// One text, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// `fr/codes.toml`
    pub(crate) file: String,
    /// `1006.fix.ping`
    pub(crate) key: String,
    pub(crate) text: String,
}

pub(crate) fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

/// Every text of a language; of one without a text of its own, the labels.
pub(crate) fn texts_of(tag: &str) -> Vec<Text> {
    let mut found = Vec::new();
    for file in ["labels", "phrases", "codes", "causes", "signs", "pairs"] {
        let file = format!("{tag}/{file}.toml");
        let Ok(content) = fs::read_to_string(data().join("locales").join(&file)) else {
            continue;
        };
        let table: Table = toml::from_str(&content).unwrap();
        let mut all = Vec::new();
        texts("", &Value::Table(table), &mut all);
        let with_file = |(key, text)| Text {
            file: file.clone(),
            key,
            text,
        };
        found.extend(all.into_iter().map(with_file));
    }
    found
}

/// Every text of a file with its key: `1006.fix.ping`, `csp.evidence.0`.
fn texts(key: &str, value: &Value, all: &mut Vec<(String, String)>) {
    let below = |part: &str| match key {
        "" => part.to_owned(),
        _ => format!("{key}.{part}"),
    };
    match value {
        Value::String(text) => all.push((key.to_owned(), text.clone())),
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                texts(&below(&index.to_string()), value, all);
            }
        }
        Value::Table(table) => {
            for (part, value) in table.iter().filter(|(part, _)| *part != "english") {
                texts(&below(part), value, all);
            }
        }
        _ => {}
    }
}
