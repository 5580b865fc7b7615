//! What `revoir diagnose` reasons with: signs, messages, timers, settings, as the files have them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::read;

pub(crate) struct Diagnosis {
    /// In the order of the enum.
    pub(crate) signs: Vec<String>,
    pub(super) messages: Vec<Message>,
    pub(super) rules: Vec<Rule>,
    pub(super) timers: Vec<Timer>,
    pub(super) settings: Vec<Setting>,
    pub(crate) shares: Shares,
}

/// `shares.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    not(feature = "fit"),
    expect(
        dead_code,
        reason = "only the fit reads its numbers; else its lines are copied"
    )
)]
pub(crate) struct Shares {
    pub(crate) loose: i16,
    pub(crate) ruled: i16,
    pub(crate) seen: i16,
    pub(crate) wrong_phase: i16,
    pub(crate) right_phase: i16,
    pub(crate) wrong_code: i16,
    pub(crate) wrong_end: i16,
    pub(crate) none_known: i32,
    pub(crate) not_recognised: i32,
    pub(crate) contradicted: i32,
    pub(crate) believed: i32,
    #[cfg_attr(feature = "fit", expect(dead_code, reason = "the product reads it"))]
    pub(crate) doubt: u64,
    #[cfg_attr(feature = "fit", expect(dead_code, reason = "the product reads it"))]
    pub(crate) believed_in_doubt: i32,
    #[cfg_attr(feature = "fit", expect(dead_code, reason = "the product reads it"))]
    pub(crate) named_from: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignsFile {
    signs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessagesFile {
    message: Vec<Message>,
}

/// A text, and what it is a sign of.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    pub(crate) text: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) exact: bool,
    pub(crate) by: String,
    pub(crate) example: Option<String>,
    #[serde(default)]
    pub(crate) signs: Vec<String>,
    pub(crate) opened: Option<bool>,
    pub(crate) witness: Option<String>,
    pub(crate) intermediary: Option<String>,
    pub(crate) evidence: String,
    pub(crate) source: String,
}

/// The messages that are kept by hand.
pub(crate) fn messages_by_hand(folder: &Path) -> anyhow::Result<Vec<Message>> {
    Ok(read::<MessagesFile>(&folder.join("messages.toml"))?.message)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) says: Vec<String>,
    #[serde(default)]
    pub(super) but_not: Vec<String>,
    #[serde(default)]
    pub(super) always: bool,
    #[serde(default)]
    pub(super) last: bool,
    pub(super) part: Option<String>,
    pub(super) signs: Vec<String>,
    pub(super) opened: Option<bool>,
    pub(super) witness: Option<String>,
    pub(super) example: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimersFile {
    timer: Vec<Timer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Timer {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) seconds: u32,
    pub(super) evidence: String,
    pub(super) source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsFile {
    setting: Vec<Setting>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setting {
    pub(super) product: String,
    pub(super) topic: String,
    pub(super) at: String,
    pub(super) lines: Vec<String>,
    pub(super) evidence: String,
    pub(super) source: String,
}

impl Diagnosis {
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut messages = messages_by_hand(folder)?;
        let measured = folder.join("messages/measured.toml");
        messages.extend(read::<MessagesFile>(&measured)?.message);
        Ok(Self {
            signs: read::<SignsFile>(&folder.join("signs.toml"))?.signs,
            messages,
            rules: read::<RulesFile>(&folder.join("rules.toml"))?.rule,
            timers: read::<TimersFile>(&folder.join("timers.toml"))?.timer,
            settings: read::<SettingsFile>(&folder.join("settings.toml"))?.setting,
            shares: read(&folder.join("shares.toml"))?,
        })
    }
}
