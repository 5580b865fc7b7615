//! The hash that ties a translation to the English it was made from.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use super::files::codes_crate;
use super::model::{Data, Texts};
use crate::fnv;

/// A short hash of texts, in hexadecimal.
pub(crate) fn hash<'a>(texts: impl IntoIterator<Item = (String, &'a str)>) -> String {
    let bytes = texts.into_iter().flat_map(|(key, text)| {
        let ended = |text: &str| text.bytes().chain([0]).collect::<Vec<u8>>();
        [ended(&key), ended(text)].concat()
    });
    format!("{:016x}", fnv::hash(bytes))
}

/// The hash of a flat table.
pub(crate) fn table_hash(texts: &Texts) -> String {
    hash(
        texts
            .iter()
            .filter(|(key, _)| *key != "english")
            .map(|(key, text)| (key.clone(), text.as_str())),
    )
}

/// Writes today's hash of the English text into every table of one language.
///
/// To be called once the translation has been brought up to date, never instead.
pub(crate) fn stamp(tag: &str) -> anyhow::Result<()> {
    let folder = codes_crate().join("data");
    let data = Data::read(&folder)?;
    let tags: Vec<&str> = data.locales[1..]
        .iter()
        .map(|locale| locale.about.tag.as_str())
        .collect();
    let Some(locale) = data.locales[1..]
        .iter()
        .find(|locale| locale.about.tag == tag)
    else {
        bail!("no translation `{tag}`; choose one of {}", tags.join(", "));
    };
    let own = folder.join("locales").join(tag);
    let english = data.english();
    stamp_flat(
        &own.join("labels.toml"),
        &table_hash(&data.locales[0].labels),
    )?;
    if locale.bodies.is_some() {
        stamp_flat(&own.join("phrases.toml"), &table_hash(&english.phrases))?;
        stamp_flat(&own.join("signs.toml"), &table_hash(&english.signs))?;
        stamp_sections(&own.join("codes.toml"), |key| {
            english.entries.get(key).map(|text| hash(text.texts()))
        })?;
        stamp_sections(&own.join("causes.toml"), |key| {
            english.causes.get(key).map(|text| hash(text.texts()))
        })?;
        stamp_sections(&own.join("pairs.toml"), |key| {
            let pair = english.pairs.get(key)?;
            Some(hash([("intro".to_owned(), pair.intro.as_str())]))
        })?;
    }
    crate::report(&format!(
        "stamped every text of {tag}; run `cargo xtask data`"
    ));
    Ok(())
}

/// Puts `english = "…"` on the first line that is neither a comment nor empty.
fn stamp_flat(path: &Path, hash: &str) -> anyhow::Result<()> {
    let text = read(path)?;
    let mut lines: Vec<&str> = text.lines().filter(|line| !is_stamp(line)).collect();
    let stamp = format!("english = \"{hash}\"");
    let at = lines
        .iter()
        .position(|line| !line.starts_with('#') && !line.trim().is_empty())
        .unwrap_or(lines.len());
    lines.insert(at, &stamp);
    write(path, &lines)
}

/// Puts `english = "…"` under every `[key]` heading.
fn stamp_sections(path: &Path, hash: impl Fn(&str) -> Option<String>) -> anyhow::Result<()> {
    let text = read(path)?;
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !is_stamp(line)) {
        lines.push(line.to_owned());
        let heading = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(hash) = heading.and_then(|key| hash(key.trim_matches('"'))) {
            lines.push(format!("english = \"{hash}\""));
        }
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    write(path, &lines)
}

fn is_stamp(line: &str) -> bool {
    line.starts_with("english = \"")
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

fn write(path: &Path, lines: &[&str]) -> anyhow::Result<()> {
    fs::write(path, lines.join("\n") + "\n").with_context(|| format!("write {}", path.display()))
}
