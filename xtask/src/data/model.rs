//! The shape of the data files. An unknown or a missing key is an error with the file's name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::diagnosis::Diagnosis;
use super::files::{read, read_folder};

/// Everything in `data/`.
pub(crate) struct Data {
    pub(crate) facts: FactsFile,
    pub(crate) causes: Vec<CauseFacts>,
    pub(crate) diagnosis: Diagnosis,
    /// What was measured, by name and side.
    pub(crate) measured: Vec<Observed>,
    /// What was read, or measured at another version.
    pub(crate) read: Vec<Observed>,
    pub(crate) vendors: Vec<Vendor>,
    pub(crate) intermediaries: Vec<Intermediary>,
    /// English first, then in the order of `locales.toml`.
    pub(crate) locales: Vec<Locale>,
}

impl Data {
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let locales: LocalesFile = read(&folder.join("locales.toml"))?;
        let mut facts: FactsFile = read(&folder.join("codes.toml"))?;
        facts.derive_figures();
        Ok(Self {
            facts,
            causes: read::<CausesFile>(&folder.join("causes.toml"))?.cause,
            diagnosis: Diagnosis::read(folder)?,
            measured: read_folder(&folder.join("observed/measured"))?,
            read: read_folder(&folder.join("observed/read"))?,
            vendors: read_folder(&folder.join("vendors"))?,
            intermediaries: read::<IntermediariesFile>(&folder.join("intermediaries.toml"))?
                .intermediary,
            locales: locales
                .locale
                .into_iter()
                .map(|about| Locale::read(&folder.join("locales"), about))
                .collect::<anyhow::Result<_>>()?,
        })
    }

    pub(crate) fn english(&self) -> &Bodies {
        // `Locale::read` fails on an incomplete locale without bodies, and English is complete.
        self.locales[0]
            .bodies
            .as_ref()
            .expect("English is complete")
    }
}

// ---------------------------------------------------------------- codes.toml

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactsFile {
    /// What `{name}` in a sentence stands for.
    pub(crate) figures: BTreeMap<String, String>,
    /// Names that contain digits and may stand in prose, longest first.
    pub(crate) names_with_digits: Vec<String>,
    /// What sentences call implementations, where `observed` has another name or none.
    pub(crate) implementations: Vec<String>,
    /// HTTP statuses that prose speaks of.
    pub(crate) http_statuses: Vec<u16>,
    pub(crate) code: Vec<Entry>,
    pub(crate) range: Vec<Entry>,
}

impl FactsFile {
    /// Codes, then ranges: the order of every generated table.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.code.iter().chain(&self.range)
    }

    /// The bounds of a range, but for that of the protocol.
    pub(crate) fn bounds(&self, id: &str) -> Option<(u16, u16)> {
        let range = self.range.iter().find(|range| range.id == id)?;
        range.first.zip(range.last)
    }

    /// The bounds of all six, in order: the protocol's own codes lie between the first and the next.
    pub(crate) fn all_bounds(&self) -> Vec<(u16, u16)> {
        let mut all: Vec<_> = self
            .range
            .iter()
            .filter_map(|range| range.first.zip(range.last))
            .collect();
        if let [(_, unused), (unassigned, _), ..] = all[..] {
            all.insert(1, (unused.saturating_add(1), unassigned.saturating_sub(1)));
        }
        all
    }

    /// The numbers that may stand in a Close frame, as few ranges as possible.
    pub(crate) fn sendable(&self) -> Vec<(u16, u16)> {
        let frame = self.entries().filter(|entry| entry.wire == "frame");
        let bounds = frame.filter_map(|entry| {
            let code = entry.code.map(|code| (code, code));
            code.or_else(|| entry.first.zip(entry.last))
        });
        let numbers: BTreeSet<u16> = bounds.flat_map(|(first, last)| first..=last).collect();
        let mut all: Vec<(u16, u16)> = Vec::new();
        for number in numbers {
            match all.last_mut() {
                Some((_, last)) if *last + 1 == number => *last = number,
                _ => all.push((number, number)),
            }
        }
        all
    }

    /// Adds the figures that follow from codes and ranges.
    fn derive_figures(&mut self) {
        let list = |all: Vec<String>| all.join(", ");
        let range = |(first, last): (u16, u16)| match first == last {
            true => first.to_string(),
            false => format!("{first}–{last}"),
        };
        let sendable = self.sendable().into_iter().map(range).collect();
        let unassigned = self.bounds("protocol-unassigned").map(range);
        let (first, last) = self.bounds("registered").unwrap_or_default();
        let registered = self.code.iter().filter_map(|entry| entry.code);
        let registered = registered.filter(|code| (first..=last).contains(code));
        let registered = registered.map(|code| code.to_string()).collect();
        self.figures.extend([
            ("sendable".to_owned(), list(sendable)),
            ("unassigned".to_owned(), unassigned.unwrap_or_default()),
            ("registered_3xxx".to_owned(), list(registered)),
        ]);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) code: Option<u16>,
    pub(crate) id: String,
    /// What the constants say of a code.
    pub(crate) doc: Option<String>,
    /// The bounds of a range.
    pub(crate) first: Option<u16>,
    pub(crate) last: Option<u16>,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    #[serde(default)]
    pub(crate) spelled: Vec<String>,
    pub(crate) said: Option<String>,
    pub(crate) near: Option<String>,
    pub(crate) reference: String,
    pub(crate) wire: String,
    pub(crate) senders: Vec<String>,
    pub(crate) clean: String,
    pub(crate) browser: String,
    pub(crate) severity: String,
    pub(crate) http: Option<u16>,
    pub(crate) related: Vec<u16>,
    pub(crate) client: AdviceFacts,
    pub(crate) server: AdviceFacts,
    pub(crate) seen: Vec<Statement>,
    pub(crate) fix: Vec<String>,
    pub(crate) note: Vec<Statement>,
}

impl Entry {
    /// The key of the entry's prose: the number of a code, the id of a range.
    pub(crate) fn key(&self) -> String {
        self.code
            .map_or_else(|| self.id.clone(), |code| code.to_string())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdviceFacts {
    pub(crate) retry: String,
    pub(crate) first: Option<String>,
    pub(crate) later: Option<String>,
    pub(crate) attempts: Option<u8>,
    pub(crate) resume: bool,
    pub(crate) basis: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement {
    pub(crate) id: String,
    pub(crate) evidence: String,
    pub(crate) source: String,
    /// The day on which it was read, measured or reported.
    pub(crate) date: Option<String>,
}

// ---------------------------------------------------------------- causes.toml

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CausesFile {
    cause: Vec<CauseFacts>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CauseFacts {
    pub(crate) id: String,
    pub(crate) phase: String,
    /// Whether it may strike in other phases too.
    #[serde(default)]
    pub(crate) any_phase: bool,
    pub(crate) seen_by: Vec<String>,
    /// How common it is, in decibans.
    pub(crate) prior: i16,
    /// What proves or refutes it.
    pub(crate) command: String,
    /// What people say when they look for it.
    pub(crate) said: Option<String>,
    /// What they name beside it.
    pub(crate) near: Option<String>,
    /// The topic of the settings that fix it.
    pub(crate) settings: Option<String>,
    /// Close codes, `1006` or `3000-4999`, with what each weighs.
    #[serde(default = "abnormal")]
    pub(crate) codes: BTreeMap<String, i16>,
    /// Signs with what each weighs.
    pub(crate) signs: BTreeMap<String, i16>,
}

/// The first and the last of `1006` or `3000-4999`; `None` if it is no range of codes.
pub(crate) fn code_range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

/// Most causes are seen as 1006, which says nothing about them.
fn abnormal() -> BTreeMap<String, i16> {
    BTreeMap::from([("1006".to_owned(), 0)])
}

// ---------------------------------------------------------------- observed/, vendors/

/// What an implementation of one version does, on one side or on both.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Observed {
    pub(crate) name: String,
    pub(crate) version: String,
    /// When the version came out, if it was measured for want of a newer one.
    pub(crate) released: Option<String>,
    /// `client` or `server`; both where it was read.
    pub(crate) side: Option<String>,
    pub(crate) evidence: String,
    /// The day on which it was read or measured.
    pub(crate) date: String,
    /// Inclusive ranges of the codes it accepts in a Close frame.
    pub(crate) accepts: Option<Vec<[u16; 2]>>,
    /// What is told whatever the code, if not the code.
    pub(crate) any: Option<Outcome>,
    pub(crate) refused: Option<Outcome>,
    pub(crate) empty: Option<Outcome>,
    pub(crate) fin: Option<Outcome>,
    pub(crate) rst: Option<Outcome>,
    pub(crate) handshake: Option<Outcome>,
    pub(crate) sends_for_bad_text: Option<u16>,
    pub(crate) sends_for_bad_frame: Option<u16>,
    /// What code sees, by the case of the suite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sees: Vec<Seen>,
}

/// What code sees of an ending.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seen {
    pub(crate) case: String,
    pub(crate) told: Outcome,
    /// How the API tells the end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) how: String,
    /// The exact texts of the errors, with their classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) texts: Vec<String>,
}

/// What the application is told: a code, or `error` or `nothing`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Outcome {
    Code(u16),
    Word(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vendor {
    pub(crate) name: String,
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) band: Vec<Band>,
    #[serde(default)]
    pub(crate) codes: Vec<VendorCode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Band {
    pub(crate) first: u16,
    pub(crate) last: u16,
    pub(crate) reconnect: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VendorCode {
    pub(crate) code: u16,
    pub(crate) name: String,
    pub(crate) reconnect: Option<bool>,
}

// ---------------------------------------------------------------- intermediaries.toml

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IntermediariesFile {
    intermediary: Vec<Intermediary>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Intermediary {
    pub(crate) name: String,
    pub(crate) idle_s: Option<u32>,
    pub(crate) life_s: Option<u32>,
    /// Header fields by which it shows in an answer: `name: part of the value`.
    #[serde(default)]
    pub(crate) marks: Vec<String>,
    pub(crate) sees: String,
    pub(crate) setting: Option<String>,
    pub(crate) evidence: String,
    pub(crate) source: String,
}

// ---------------------------------------------------------------- locales

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalesFile {
    locale: Vec<AboutLocale>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AboutLocale {
    pub(crate) tag: String,
    /// The name of the language in itself.
    pub(crate) name: String,
    /// The script most letters of a text must belong to.
    pub(crate) script: String,
    /// For Latin script: letters that any longer text of the language contains.
    #[serde(default)]
    pub(crate) letters: String,
    /// Texts that are rightly the same as in English, or rightly in another script.
    #[serde(default)]
    pub(crate) same: Vec<String>,
    #[serde(default)]
    pub(crate) rtl: bool,
    /// The decimal sign.
    pub(crate) decimal: char,
    /// How sentences write a unit, where it is not the international symbol.
    #[serde(default)]
    pub(crate) units: BTreeMap<String, String>,
    /// What stands between a figure and its unit.
    #[serde(default = "space")]
    pub(crate) unit_space: char,
    /// The sign for per cent, with what stands before it.
    #[serde(default = "percent")]
    pub(crate) percent: String,
    /// What stands between the bounds of a range in a sentence.
    #[serde(default = "until")]
    pub(crate) until: String,
    /// Whether the reference text is translated, not only the labels.
    pub(crate) complete: bool,
    /// How the texts were read, and when.
    pub(crate) reviewed: Option<Review>,
}

/// A reading of the texts of a language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Review {
    pub(crate) method: ReviewMethod,
    /// The day: `2026-11-29`.
    pub(crate) date: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ReviewMethod {
    Source,
    TwoReadings,
}

const fn space() -> char {
    ' '
}

fn percent() -> String {
    "%".to_owned()
}

fn until() -> String {
    "–".to_owned()
}

/// A table of texts by key, with the hash of the English it was translated from.
pub(crate) type Texts = BTreeMap<String, String>;

pub(crate) struct Locale {
    pub(crate) about: AboutLocale,
    pub(crate) labels: Texts,
    pub(crate) bodies: Option<Bodies>,
}

/// The reference text of one language.
pub(crate) struct Bodies {
    /// By code number or range id.
    pub(crate) entries: BTreeMap<String, EntryText>,
    pub(crate) causes: BTreeMap<String, CauseText>,
    /// By sign.
    pub(crate) signs: Texts,
    /// What separates two codes, by `low-high`.
    pub(crate) pairs: BTreeMap<String, PairText>,
    pub(crate) phrases: Texts,
}

impl Locale {
    fn read(folder: &Path, about: AboutLocale) -> anyhow::Result<Self> {
        let folder = folder.join(&about.tag);
        let bodies = if about.complete {
            Some(Bodies {
                entries: read(&folder.join("codes.toml"))?,
                causes: read(&folder.join("causes.toml"))?,
                signs: read(&folder.join("signs.toml"))?,
                pairs: read(&folder.join("pairs.toml"))?,
                phrases: read(&folder.join("phrases.toml"))?,
            })
        } else {
            None
        };
        Ok(Self {
            labels: read(&folder.join("labels.toml"))?,
            bodies,
            about,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryText {
    /// Hash of the English text this was translated from; absent in English itself.
    pub(crate) english: Option<String>,
    pub(crate) title: String,
    pub(crate) short: String,
    pub(crate) meaning: String,
    pub(crate) trap: String,
    pub(crate) peer: String,
    pub(crate) cause: String,
    pub(crate) usage: String,
    pub(crate) next: String,
    pub(crate) server_next: String,
    pub(crate) seen: Texts,
    pub(crate) fix: Texts,
    #[serde(default)]
    pub(crate) note: Texts,
}

impl EntryText {
    /// Every text with its key, in a fixed order.
    pub(crate) fn texts(&self) -> Vec<(String, &str)> {
        let mut all: Vec<(String, &str)> = [
            ("title", &self.title),
            ("short", &self.short),
            ("meaning", &self.meaning),
            ("trap", &self.trap),
            ("peer", &self.peer),
            ("cause", &self.cause),
            ("usage", &self.usage),
            ("next", &self.next),
            ("server_next", &self.server_next),
        ]
        .map(|(key, text)| (key.to_owned(), text.as_str()))
        .into();
        for (list, texts) in [
            ("seen", &self.seen),
            ("fix", &self.fix),
            ("note", &self.note),
        ] {
            all.extend(
                texts
                    .iter()
                    .map(|(id, text)| (format!("{list}.{id}"), text.as_str())),
            );
        }
        all
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CauseText {
    pub(crate) english: Option<String>,
    pub(crate) title: String,
    pub(crate) evidence: Vec<String>,
    pub(crate) confirm: String,
    pub(crate) fix: Vec<String>,
}

impl CauseText {
    pub(crate) fn texts(&self) -> Vec<(String, &str)> {
        let mut all = vec![
            ("title".to_owned(), self.title.as_str()),
            ("confirm".to_owned(), self.confirm.as_str()),
        ];
        for (list, texts) in [("evidence", &self.evidence), ("fix", &self.fix)] {
            all.extend(
                texts
                    .iter()
                    .enumerate()
                    .map(|(i, text)| (format!("{list}.{i}"), text.as_str())),
            );
        }
        all
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PairText {
    pub(crate) english: Option<String>,
    /// The question that tells the two apart, answered.
    pub(crate) intro: String,
}
