//! What `revoir diagnose` reasons with, checked and written.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::diagnosis::{Diagnosis, Message, Rule};
use super::emit::{HEAD, variant};
use super::model::{Data, code_range};

impl Diagnosis {
    /// What is wrong with the signs, and with those who name them.
    pub(super) fn problems(&self, data: &Data) -> Vec<String> {
        let mut found = Vec::new();
        let known: BTreeSet<&str> = self.signs.iter().map(String::as_str).collect();
        if known.len() != self.signs.len() {
            found.push("signs.toml: a sign occurs twice".to_owned());
        }
        for cause in &data.causes {
            let unknown = cause.signs.keys().filter(|id| !known.contains(id.as_str()));
            found.extend(unknown.map(|id| format!("causes.toml: {}: no sign `{id}`", cause.id)));
            if cause.signs.values().all(|&weight| weight <= 0) {
                found.push(format!("causes.toml: {}: nothing speaks for it", cause.id));
            }
            let is_wrong = |range: &&String| code_range(range).is_none();
            let wrong = cause.codes.keys().filter(is_wrong);
            found.extend(wrong.map(|range| format!("causes.toml: {}: `{range}`", cause.id)));
        }
        for message in &self.messages {
            let place = format!("messages: `{}`", message.text);
            let unknown = message
                .signs
                .iter()
                .filter(|id| !known.contains(id.as_str()));
            found.extend(unknown.map(|id| format!("{place}: no sign `{id}`")));
            let intermediary = message.intermediary.as_deref();
            if intermediary.is_some_and(|name| position(data, name).is_none()) {
                found.push(format!("{place}: no such intermediary"));
            }
        }
        for rule in &self.rules {
            let unknown = rule.signs.iter().filter(|id| !known.contains(id.as_str()));
            let place = format!("rules.toml: `{}`", rule.example);
            found.extend(unknown.map(|id| format!("{place}: no sign `{id}`")));
            if rule.says.is_empty() || rule.signs.is_empty() {
                found.push(format!("{place}: it looks for nothing, or says nothing"));
            }
        }
        found.extend(self.without_producer());
        let topics: BTreeSet<&str> = self.settings.iter().map(|of| of.topic.as_str()).collect();
        let named = data
            .causes
            .iter()
            .filter_map(|cause| cause.settings.as_deref());
        let missing = named.filter(|topic| !topics.contains(topic));
        found.extend(missing.map(|topic| format!("settings.toml: nothing for `{topic}`")));
        let weighed: BTreeSet<&str> = data
            .causes
            .iter()
            .flat_map(|cause| cause.signs.keys().map(String::as_str))
            .chain(BY_THE_ENGINE)
            .collect();
        let idle = known.difference(&weighed);
        found.extend(idle.map(|id| format!("signs.toml: no cause weighs `{id}`")));
        found
    }

    /// Signs that nobody gives: no message, no rule, and none of the files that observe.
    fn without_producer(&self) -> Vec<String> {
        let by_text: BTreeSet<&str> = self
            .messages
            .iter()
            .flat_map(|message| &message.signs)
            .chain(self.rules.iter().flat_map(|rule| &rule.signs))
            .map(String::as_str)
            .collect();
        let observers = OBSERVERS
            .map(|path| std::fs::read_to_string(crate::root().join(path)).unwrap_or_default());
        let is_observed = |id: &str| {
            let name = format!("Sign::{}", variant(id));
            observers.iter().any(|text| names(text, &name))
        };
        let mut found = Vec::new();
        for (path, text) in OBSERVERS.iter().zip(&observers) {
            if text.is_empty() {
                found.push(format!(
                    "{path}: cannot be read, and is said to observe signs"
                ));
            }
        }
        for id in &self.signs {
            if !by_text.contains(id.as_str()) && !is_observed(id) {
                found.push(format!(
                    "signs.toml: nobody gives `{id}`: no message, no rule, and none of {}",
                    OBSERVERS.join(", ")
                ));
            }
        }
        found
    }

    /// The enum of the signs, with their English as documentation.
    pub(super) fn signs_file(&self, data: &Data) -> String {
        let mut out = HEAD.to_owned();
        out += "/// Something that may be known of an ending.\n";
        out += "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\n#[non_exhaustive]\n";
        out += "pub enum Sign {\n";
        for id in &self.signs {
            let text = &data.english().signs[id];
            let _ = writeln!(out, "    /// {text}\n    {},", variant(id));
        }
        out += "}\n\nimpl Sign {\n    /// Every sign, in order.\n";
        out.push_str("    pub const ALL: &'static [Self] = &[\n");
        for id in &self.signs {
            let _ = writeln!(out, "        Self::{},", variant(id));
        }
        out += "    ];\n\n    /// A stable identifier in kebab case.\n    #[must_use]\n";
        out += "    pub const fn id(self) -> &'static str {\n        match self {\n";
        for id in &self.signs {
            let _ = writeln!(out, "            Self::{} => {id:?},", variant(id));
        }
        out + "        }\n    }\n}\n"
    }

    /// Messages and timers.
    pub(super) fn tables(&self, data: &Data) -> String {
        let mut out = HEAD.to_owned();
        out += "use crate::catalog::causes::Witness;\n";
        out += "use crate::catalog::diagnosis::messages::Message;\n";
        out += "use crate::catalog::diagnosis::rules::{Part, Rule};\n";
        out += "use crate::catalog::diagnosis::settings::Setting;\n";
        out += "use crate::catalog::diagnosis::shares::Shares;\n";
        out += "use crate::catalog::diagnosis::timers::{Timer, TimerKind};\n";
        out += "use crate::catalog::source::{Evidence, Source};\n";
        out += "use crate::generated::catalog::INTERMEDIARIES;\n";
        out += "use crate::generated::signs::Sign;\n\n";
        out += "pub(crate) static MESSAGES: &[Message] = &[\n";
        for message in &self.messages {
            out += &message.literal(data);
        }
        out += "];\n\npub(crate) static RULES: &[Rule] = &[\n";
        for rule in &self.rules {
            out += &rule.literal();
        }
        out += "];\n\npub(crate) static TIMERS: &[Timer] = &[\n";
        for timer in &self.timers {
            let _ = writeln!(
                out,
                "    Timer {{ name: {:?}, kind: TimerKind::{}, seconds: {}, source: {} }},",
                timer.name,
                variant(&timer.kind),
                timer.seconds,
                source(&timer.evidence, &timer.source),
            );
        }
        out += "];\n\npub(crate) static SETTINGS: &[Setting] = &[\n";
        for setting in &self.settings {
            let _ = writeln!(
                out,
                "    Setting {{ product: {:?}, topic: {:?}, at: {:?}, lines: &{:?}, source: {} }},",
                setting.product,
                setting.topic,
                setting.at,
                setting.lines,
                source(&setting.evidence, &setting.source),
            );
        }
        let _ = writeln!(
            out,
            "];\n\npub(crate) const SHARES: Shares = {:?};",
            self.shares
        );
        out
    }
}

/// The files that make signs of what was measured or probed, beside the messages and rules.
const OBSERVERS: [&str; 3] = [
    "crates/revoir-codes/src/catalog/diagnosis/ranking.rs",
    "crates/revoir-codes/src/catalog/diagnosis/reading.rs",
    "crates/revoir-cli/src/diagnose/evidence.rs",
];

/// Whether a text has a name that does not go on.
fn names(text: &str, name: &str) -> bool {
    let mut rest = text
        .match_indices(name)
        .map(|(at, _)| &text[at + name.len()..]);
    rest.any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Signs that every cause weighs by its phase, its codes and who sees it.
const BY_THE_ENGINE: [&str; 5] = [
    "opened",
    "never-opened",
    "code-fits",
    "code-unlike",
    "elsewhere",
];

impl Message {
    fn literal(&self, data: &Data) -> String {
        let (signs, witness) = (
            signs(&self.signs),
            option("Witness", self.witness.as_deref()),
        );
        let intermediary = self
            .intermediary
            .as_deref()
            .and_then(|name| position(data, name))
            .map_or_else(
                || "None".to_owned(),
                |index| format!("Some(&INTERMEDIARIES[{index}])"),
            );
        format!(
            "    Message {{ pattern: {:?}, exact: {}, by: {:?}, signs: &[{}], opened: {:?}, \
             witness: {witness},\n        intermediary: {intermediary}, example: {:?}, source: {} }},\n",
            self.text,
            self.exact,
            self.by,
            signs,
            self.opened,
            self.example,
            source(&self.evidence, &self.source),
        )
    }
}

impl Rule {
    fn literal(&self) -> String {
        let groups: Vec<_> = self.says.iter().map(|group| alternatives(group)).collect();
        let but_not: Vec<_> = self
            .but_not
            .iter()
            .map(|group| alternatives(group))
            .collect();
        format!(
            "    Rule {{ says: &[{}], but_not: &[{}], always: {}, last: {}, part: {}, signs: &[{}], opened: {:?}, \
             witness: {}, example: {:?} }},\n",
            groups
                .iter()
                .map(|group| format!("&[{group}]"))
                .collect::<Vec<_>>()
                .join(", "),
            but_not.join(", "),
            self.always,
            self.last,
            option("Part", self.part.as_deref()),
            signs(&self.signs),
            self.opened,
            option("Witness", self.witness.as_deref()),
            self.example,
        )
    }
}

/// `a | b c` as string literals.
fn alternatives(group: &str) -> String {
    let all = group.split('|').map(|one| format!("{:?}", one.trim()));
    all.collect::<Vec<_>>().join(", ")
}

fn signs(ids: &[String]) -> String {
    let all = ids.iter().map(|id| format!("Sign::{}", variant(id)));
    all.collect::<Vec<_>>().join(", ")
}

/// `Some(Witness::Client)`.
fn option(name: &str, id: Option<&str>) -> String {
    id.map_or_else(
        || "None".to_owned(),
        |id| format!("Some({name}::{})", variant(id)),
    )
}

fn source(evidence: &str, place: &str) -> String {
    let evidence = variant(evidence);
    format!("Source {{ evidence: Evidence::{evidence}, place: {place:?}, date: None }}")
}

fn position(data: &Data, name: &str) -> Option<usize> {
    data.intermediaries.iter().position(|of| of.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_that_nobody_gives_is_named() {
        let mut diagnosis =
            Diagnosis::read(&crate::root().join("crates/revoir-codes/data")).unwrap();
        assert_eq!(diagnosis.without_producer(), Vec::<String>::new());
        diagnosis.signs.push("idle".to_owned());
        let found = diagnosis.without_producer();
        assert!(
            found[0].starts_with("signs.toml: nobody gives `idle`"),
            "{found:?}"
        );
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_name_that_goes_on_is_another_one() {
        assert!(names("add(Sign::Idle, x)", "Sign::Idle"));
        assert!(!names("add(Sign::IdleLong, x)", "Sign::Idle"));
    }
}
