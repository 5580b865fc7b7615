//! What a run of the suite has said, as `conformance/results` keeps it: verdicts, and what the application was told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::adapters::Adapter;
use crate::data::Outcome;

/// One implementation: the file `NAME-VERSION.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Results {
    /// Its name in `adapters.toml`.
    pub(super) name: String,
    pub(super) version: String,
    /// Whether it stood between the suite and a good server, which says what it was told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) intermediary: bool,
    /// Since when Debian has this version, which is measured for want of a newer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) released: Option<String>,
    /// What its adapter says of itself.
    pub(super) hello: Value,
    /// The version of the suite, and the day of the run.
    pub(super) suite: String,
    pub(super) date: String,
    /// When it was over on that day, in UTC: `17:05`. Empty in those that were written before this was.
    #[serde(default)]
    pub(super) time: String,
    /// How the run before this one went, if that was of the same version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) compared: Option<Compared>,
    /// The cases by the side that the implementation was on, in the order of the suite.
    pub(super) roles: BTreeMap<String, Vec<Case>>,
}

/// Two runs of one version beside each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Compared {
    /// The day and the time of the earlier run.
    pub(super) date: String,
    #[serde(default)]
    pub(super) time: String,
    /// How many cases were in both.
    pub(super) cases: usize,
    /// Those that came out otherwise: `server codes.1000`.
    #[serde(default)]
    pub(super) differs: Vec<String>,
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) case: String,
    pub(super) verdict: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) problems: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) doubts: Vec<String>,
    /// Its first Close frame: `Close 1002 "bad opcode"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sent: Option<String>,
    /// What the application was told, without times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) told: Vec<Value>,
    /// What happened on the wire, which only the report of the run keeps.
    #[serde(default, skip_serializing)]
    wire: Vec<OnWire>,
}

/// One thing on the wire.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct OnWire {
    by: String,
    what: String,
}

/// The report of `revoir conform --json`, as far as it is kept.
#[derive(Debug, Deserialize)]
struct Report {
    suite: String,
    version: String,
    #[serde(default)]
    hello: Value,
    date: String,
    cases: Vec<Case>,
}

impl Case {
    /// Leaves out what is another in every run, and what only the report keeps.
    fn distil(&mut self) {
        let entries = std::mem::take(&mut self.wire);
        let close = |entry: &OnWire| entry.by == "peer" && entry.what.starts_with("Close ");
        self.sent = entries.into_iter().find(close).map(|entry| entry.what);
        // Messages are on the wire as well.
        self.told.retain(|event| event["event"] != "message");
        for event in self.told.iter_mut().filter_map(Value::as_object_mut) {
            for name in ["at", "heard", "ms"] {
                event.remove(name);
            }
            event.retain(|_, value| !value.is_null());
            for value in event.values_mut() {
                if let Value::String(text) = value {
                    *text = without_ports(text);
                }
            }
        }
    }

    /// What the application was told.
    pub(super) fn outcome(&self) -> Outcome {
        let closed = self.told.iter().find(|event| event["event"] == "closed");
        let code = closed.and_then(|closed| closed["code"].as_u64());
        if let Some(code) = code.and_then(|code| u16::try_from(code).ok()) {
            return Outcome::Code(code);
        }
        let is_error = |event: &Value| event.get("class").is_some() || event.get("text").is_some();
        let fails =
            self.told.iter().any(|event| event["event"] == "error") || closed.is_some_and(is_error);
        Outcome::Word(if fails { "error" } else { "nothing" }.to_owned())
    }

    /// The code in its first Close frame.
    pub(super) fn sent_code(&self) -> Option<u16> {
        let words = self.sent.as_deref()?.strip_prefix("Close ")?;
        words.split(' ').next()?.parse().ok()
    }

    /// Whether two runs came out alike. Texts may differ: some have numbers of their own in them.
    fn agrees(&self, other: &Self) -> bool {
        const SAME: [&str; 6] = ["event", "code", "reason", "clean", "class", "status"];
        let told = |case: &Self| -> Vec<Vec<Value>> {
            let same = |event: &Value| SAME.map(|name| event[name].clone()).to_vec();
            case.told.iter().map(same).collect()
        };
        self.verdict == other.verdict && self.sent == other.sent && told(self) == told(other)
    }
}

/// The hour and minute in UTC.
fn time_of_day(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let minutes = since.as_secs() / 60 % (24 * 60);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// `127.0.0.1:PORT` for an address with a number that the run has found free.
fn without_ports(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = ["127.0.0.1", "localhost"]
        .iter()
        .filter_map(|host| rest.find(host).map(|at| at + host.len()))
        .min()
    {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        for before in [":", "', ", "/"] {
            let Some(number) = rest.strip_prefix(before) else {
                continue;
            };
            let digits = number.bytes().take_while(u8::is_ascii_digit).count();
            if digits >= 4 {
                out.push_str(before);
                out.push_str("PORT");
                rest = &number[digits..];
                break;
            }
        }
    }
    out + rest
}

impl Results {
    /// Takes the reports of one implementation, a line of JSON for each role.
    pub(super) fn of(adapter: &Adapter, reports: &[(String, String)]) -> anyhow::Result<Self> {
        let mut results: Option<Self> = None;
        for (role, line) in reports {
            let mut report: Report =
                serde_json::from_str(line).context("read what `revoir conform --json` has said")?;
            report.cases.iter_mut().for_each(Case::distil);
            let results = results.get_or_insert_with(|| Self {
                name: adapter.name.clone(),
                version: report.version,
                intermediary: adapter.intermediary,
                released: adapter.released.clone(),
                hello: report.hello,
                suite: report.suite,
                date: report.date,
                time: time_of_day(SystemTime::now()),
                compared: None,
                roles: BTreeMap::new(),
            });
            results.roles.insert(role.clone(), report.cases);
        }
        results.context("no role was played")
    }

    /// The run before this one, if it was of the same version.
    pub(super) fn earlier(&self) -> anyhow::Result<Option<Self>> {
        let path = self.path();
        path.exists().then(|| read(&path)).transpose()
    }

    /// Takes down how this differs from an earlier run of the same version and suite.
    pub(super) fn compare(&mut self, before: &Self) {
        if (&self.version, &self.suite) != (&before.version, &before.suite) {
            return;
        }
        let mut compared = Compared {
            date: before.date.clone(),
            time: before.time.clone(),
            cases: 0,
            differs: Vec::new(),
        };
        for (role, cases) in &self.roles {
            for case in cases {
                let Some(old) = before.case(role, &case.case) else {
                    continue;
                };
                compared.cases += 1;
                if !case.agrees(old) {
                    compared.differs.push(format!("{role} {}", case.case));
                }
            }
        }
        self.compared = Some(compared);
    }

    /// What came of a case, if it was played.
    pub(super) fn case(&self, role: &str, id: &str) -> Option<&Case> {
        self.roles.get(role)?.iter().find(|case| case.case == id)
    }

    /// The same, unless the runs of it disagree: that is never published.
    pub(super) fn steady(&self, role: &str, id: &str) -> Option<&Case> {
        let differs = self.compared.as_ref().is_some_and(|compared| {
            let differs = |one: &String| one.split_once(' ') == Some((role, id));
            compared.differs.iter().any(differs)
        });
        self.case(role, id)
            .filter(|case| !differs && case.verdict != "flaky")
    }

    /// How many cases of a role came out so.
    pub(super) fn counts(&self, role: &str) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for case in self.roles.get(role).into_iter().flatten() {
            *counts.entry(&*case.verdict).or_insert(0) += 1;
        }
        counts
    }

    fn path(&self) -> PathBuf {
        let version = match &*self.version {
            "" => String::new(),
            version => format!("-{version}"),
        };
        let plain = |char: char| char.is_ascii_alphanumeric() || "-._+".contains(char);
        let name = format!("{}{version}", self.name).replace(|char| !plain(char), "-");
        folder().join(format!("{name}.json"))
    }

    /// Writes the file, one case a line.
    pub(super) fn write(&self) -> anyhow::Result<()> {
        let path = self.path();
        let mut text = String::from("{\n");
        let head = serde_json::json!({
            "name": self.name,
            "version": self.version,
            "intermediary": self.intermediary.then_some(true),
            "released": self.released,
            "hello": self.hello,
            "suite": self.suite,
            "date": self.date,
            "time": self.time,
            "compared": self.compared,
        });
        for (name, value) in head.as_object().into_iter().flatten() {
            if !value.is_null() {
                text.push_str(&format!("\"{name}\": {value},\n"));
            }
        }
        let mut roles = Vec::new();
        for (role, cases) in &self.roles {
            let lines: Result<Vec<String>, _> = cases.iter().map(serde_json::to_string).collect();
            roles.push(format!("\"{role}\": [\n{}\n]", lines?.join(",\n")));
        }
        text.push_str(&format!("\"roles\": {{\n{}\n}}\n}}\n", roles.join(",\n")));
        fs::create_dir_all(folder())?;
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))
    }
}

fn folder() -> PathBuf {
    crate::root().join("conformance/results")
}

/// All that are kept, by name and then the newest first.
fn kept() -> anyhow::Result<Vec<Results>> {
    let folder = folder();
    let mut all = match folder.exists() {
        true => read_folder(&folder)?,
        false => Vec::new(),
    };
    all.sort_by(|a: &Results, b| {
        let newer = (&b.date, numbers(&b.version)).cmp(&(&a.date, numbers(&a.version)));
        a.name.cmp(&b.name).then(newer)
    });
    Ok(all)
}

/// The newest of each implementation, by name.
pub(super) fn newest() -> anyhow::Result<Vec<Results>> {
    let mut all = kept()?;
    all.dedup_by(|later, first| later.name == first.name);
    Ok(all)
}

/// The numbers of a version, by which `9.10` is newer than `9.9`.
fn numbers(version: &str) -> Vec<u64> {
    let parts = version.split(|char: char| !char.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

/// Reads every JSON file of a folder, in the order of their names.
pub(super) fn read_folder<T: DeserializeOwned>(folder: &Path) -> anyhow::Result<Vec<T>> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut paths: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))
}
