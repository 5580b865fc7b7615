//! A case: data with prose that a maintainer can argue with.

mod check;
mod step;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use check::{Answer, Check};
pub(crate) use step::{Awaited, Edit, FrameSent, Sent, Step};

/// The side that an implementation under test is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// It accepts connections.
    Server,
    /// It makes them.
    Client,
}

impl Role {
    /// `server` or `client`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// One case of the suite.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// Stable: `closing.crossed`.
    pub id: String,
    /// The part of the id before the first dot.
    pub group: String,
    /// One line.
    pub title: String,
    /// Which implementations it is for.
    pub roles: Vec<Role>,
    /// The section of a standard, or another source.
    pub rule: String,
    /// What the suite does, a step a line.
    pub play: Vec<String>,
    /// What has to hold.
    pub must: Vec<String>,
    /// What is better, and never a failure.
    pub should: Vec<String>,
    /// What is also right.
    pub may: String,
    /// Why, for a maintainer who disagrees.
    pub why: String,
    /// How long each wait is.
    pub within: Duration,
    /// Whether it is for connections with TLS only.
    pub needs_tls: bool,
    /// Whether it needs permessage-deflate.
    pub needs_deflate: bool,
    /// Whether an end of TCP is not asked for: what does not end by itself is tolerated.
    pub may_stay: bool,
    /// The numbers that it is played with, one connection for each, as one case.
    pub bulk: Option<(u16, u16)>,
    /// How a peer is broken that fails it, per role: a switch of the suite's reference peer.
    pub mutants: BTreeMap<Role, String>,
    pub(crate) opening: Opening,
    pub(crate) steps: Vec<Step>,
    pub(crate) musts: Vec<Check>,
    pub(crate) shoulds: Vec<Check>,
}

/// Who makes the opening handshake of a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Opening {
    /// It is made as always, before the first step.
    #[default]
    Usual,
    /// The steps make it.
    Scripted,
    /// The steps begin below TLS.
    BelowTls,
}

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct File {
    group: String,
    about: String,
    #[serde(default)]
    rule: String,
    case: Vec<Written>,
}

/// A case as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    id: String,
    title: String,
    #[serde(default = "both")]
    roles: Vec<Role>,
    #[serde(default)]
    rule: String,
    #[serde(default)]
    opening: Opening,
    play: Vec<String>,
    #[serde(default)]
    must: Vec<String>,
    #[serde(default)]
    should: Vec<String>,
    #[serde(default)]
    may: String,
    #[serde(default)]
    why: String,
    #[serde(default = "five")]
    within: u64,
    #[serde(default)]
    tls: bool,
    #[serde(default)]
    deflate: bool,
    #[serde(default)]
    may_stay: bool,
    bulk: Option<(u16, u16)>,
    mutant: Mutant,
    /// The case once for each of these, with `{name}` replaced.
    #[serde(default)]
    each: Vec<BTreeMap<String, toml::Value>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Mutant {
    Both(String),
    Each { server: String, client: String },
}

fn both() -> Vec<Role> {
    vec![Role::Server, Role::Client]
}

const fn five() -> u64 {
    5
}

impl File {
    pub(crate) fn read(text: &str) -> Result<(String, String, Vec<Case>), String> {
        let file: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut cases = Vec::new();
        for written in &file.case {
            if written.each.is_empty() {
                cases.push(written.case(&file, &BTreeMap::new())?);
            }
            for variables in &written.each {
                cases.push(written.case(&file, variables)?);
            }
        }
        Ok((file.group, file.about, cases))
    }
}

impl Written {
    fn case(&self, file: &File, variables: &BTreeMap<String, toml::Value>) -> Result<Case, String> {
        let fill = |text: &String| {
            variables.iter().fold(text.clone(), |text, (name, value)| {
                let value = match value {
                    toml::Value::String(value) => value.clone(),
                    other => other.to_string(),
                };
                text.replace(&format!("{{{name}}}"), &value)
            })
        };
        let id = format!("{}.{}", file.group, fill(&self.id));
        let all = |lines: &[String]| -> Vec<String> {
            lines
                .iter()
                .map(fill)
                .filter(|line| !line.is_empty())
                .collect()
        };
        let (play, must, should) = (all(&self.play), all(&self.must), all(&self.should));
        // A case in bulk is parsed with a number, to find mistakes at once.
        let of_case = |problem: String| format!("{id}: {problem}");
        let steps = parsed(&play, 1000, Step::parse).map_err(of_case)?;
        let musts = parsed(&must, 1000, Check::parse).map_err(of_case)?;
        let shoulds = parsed(&should, 1000, Check::parse).map_err(of_case)?;
        let mutants = self.roles.iter().map(|role| {
            let mutant = match (&self.mutant, role) {
                (Mutant::Both(mutant), _)
                | (Mutant::Each { server: mutant, .. }, Role::Server)
                | (Mutant::Each { client: mutant, .. }, Role::Client) => mutant,
            };
            (*role, fill(mutant))
        });
        Ok(Case {
            group: file.group.clone(),
            title: fill(&self.title),
            roles: self.roles.clone(),
            rule: if self.rule.is_empty() {
                file.rule.clone()
            } else {
                fill(&self.rule)
            },
            may: fill(&self.may),
            why: fill(&self.why),
            within: Duration::from_secs(self.within),
            needs_tls: self.tls,
            needs_deflate: self.deflate,
            may_stay: self.may_stay,
            bulk: self.bulk,
            mutants: mutants.collect(),
            opening: self.opening,
            id,
            play,
            must,
            should,
            steps,
            musts,
            shoulds,
        })
    }
}

impl Case {
    /// The same with one number of the bulk in place of `{number}`.
    pub(crate) fn with_number(&self, number: u16) -> Result<Self, String> {
        let mut case = self.clone();
        case.steps = parsed(&self.play, number, Step::parse)?;
        case.musts = parsed(&self.must, number, Check::parse)?;
        case.shoulds = parsed(&self.should, number, Check::parse)?;
        case.bulk = None;
        Ok(case)
    }

    /// What has to hold, in words.
    #[must_use]
    pub fn musts(&self) -> Vec<String> {
        self.musts.iter().map(ToString::to_string).collect()
    }

    /// What is better, in words.
    #[must_use]
    pub fn shoulds(&self) -> Vec<String> {
        self.shoulds.iter().map(ToString::to_string).collect()
    }

    /// Whether the id matches a pattern: `*` stands for any characters.
    #[must_use]
    pub fn matches(&self, pattern: &str) -> bool {
        matches(pattern.as_bytes(), self.id.as_bytes())
    }
}

/// Lines with this number in them, as what they say.
fn parsed<T>(
    lines: &[String],
    number: u16,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let number = number.to_string();
    let parsed = |line: &String| {
        parse(&line.replace("{number}", &number)).map_err(|problem| format!("{line}: {problem}"))
    };
    lines.iter().map(parsed).collect()
}

fn matches(pattern: &[u8], id: &[u8]) -> bool {
    match pattern.split_first() {
        None => id.is_empty(),
        Some((b'*', rest)) => (0..=id.len()).any(|at| matches(rest, &id[at..])),
        Some((first, rest)) => id
            .split_first()
            .is_some_and(|(byte, id)| byte == first && matches(rest, id)),
    }
}
