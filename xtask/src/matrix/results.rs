//! What a run of the suite has said, as `conformance/results` keeps it: verdicts, and what the application was told.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One implementation: the file `NAME-VERSION.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Results {
    pub(super) name: String,
    pub(super) version: String,
    /// What its adapter says of itself.
    pub(super) hello: Value,
    /// The version of the suite, and the day of the run.
    pub(super) suite: String,
    pub(super) date: String,
    /// The cases by the side that the implementation was on, in the order of the suite.
    pub(super) roles: BTreeMap<String, Vec<Case>>,
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) case: String,
    pub(super) verdict: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    doubts: Vec<String>,
    /// What the application was told, without times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) told: Vec<Value>,
}

/// The report of `revoir conform --json`, as far as it is kept.
#[derive(Debug, Deserialize)]
struct Report {
    suite: String,
    name: String,
    version: String,
    #[serde(default)]
    hello: Value,
    date: String,
    cases: Vec<Case>,
}

impl Results {
    /// Takes the reports of one implementation, a line of JSON for each role.
    pub(super) fn of(reports: &[(String, String)]) -> anyhow::Result<Self> {
        let mut results: Option<Self> = None;
        for (role, line) in reports {
            let mut report: Report =
                serde_json::from_str(line).context("read what `revoir conform --json` has said")?;
            for case in &mut report.cases {
                // Messages are on the wire as well.
                case.told.retain(|event| event["event"] != "message");
                // Times and addresses are others in every run.
                for event in case.told.iter_mut().filter_map(Value::as_object_mut) {
                    for name in ["at", "heard", "ms"] {
                        event.remove(name);
                    }
                    event.retain(|_, value| !value.is_null());
                }
            }
            let results = results.get_or_insert_with(|| Self {
                name: report.name,
                version: report.version,
                hello: report.hello,
                suite: report.suite,
                date: report.date,
                roles: BTreeMap::new(),
            });
            results.roles.insert(role.clone(), report.cases);
        }
        results.context("no role was played")
    }

    /// What differs from an earlier run: `server tcp.fin.idle: ok before, wrong now`.
    pub(super) fn changes(&self, before: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for (role, cases) in &self.roles {
            for case in cases {
                let old = before
                    .roles
                    .get(role)
                    .and_then(|old| old.iter().find(|old| old.case == case.case));
                match old {
                    Some(old) if old.verdict != case.verdict => changes.push(format!(
                        "{role} {}: {} before, {} now",
                        case.case, old.verdict, case.verdict
                    )),
                    Some(_) => {}
                    None => changes.push(format!("{role} {}: new, {}", case.case, case.verdict)),
                }
            }
        }
        changes
    }

    /// How many cases of a role came out so.
    pub(super) fn counts(&self, role: &str) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for case in self.roles.get(role).into_iter().flatten() {
            *counts.entry(&*case.verdict).or_insert(0) += 1;
        }
        counts
    }

    pub(super) fn path(&self) -> PathBuf {
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
        for (name, value) in [
            ("name", serde_json::to_string(&self.name)?),
            ("version", serde_json::to_string(&self.version)?),
            ("hello", serde_json::to_string(&self.hello)?),
            ("suite", serde_json::to_string(&self.suite)?),
            ("date", serde_json::to_string(&self.date)?),
        ] {
            text.push_str(&format!("\"{name}\": {value},\n"));
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

/// All that are kept, by name.
pub(super) fn kept() -> anyhow::Result<Vec<Results>> {
    let mut all = Vec::new();
    let folder = folder();
    if folder.exists() {
        for entry in fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                all.push(read(&path)?);
            }
        }
    }
    all.sort_by(|a: &Results, b| a.name.cmp(&b.name));
    Ok(all)
}

fn read(path: &Path) -> anyhow::Result<Results> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))
}
