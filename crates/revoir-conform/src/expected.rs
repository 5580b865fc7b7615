//! Known results: only what changes fails a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::case::Role;
use crate::judge::Verdict;
use crate::outcome::Report;
use crate::suite::Suite;

/// What is known of an implementation, per role: the verdicts of cases that it fails.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    #[serde(default)]
    server: BTreeMap<String, Verdict>,
    #[serde(default)]
    client: BTreeMap<String, Verdict>,
}

impl Expected {
    /// Reads TOML: tables `[server]` and `[client]`, with lines like `"codes.1014" = "wrong"`.
    ///
    /// # Errors
    ///
    /// If it is not that. The text says where.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// The ids that no case of the suite has: they would never be looked at.
    #[must_use]
    pub fn unknown(&self, suite: &Suite) -> Vec<&str> {
        let is_known = |id: &str| suite.cases.iter().any(|case| case.id == id);
        let ids = self.server.keys().chain(self.client.keys());
        ids.map(|id| &**id).filter(|id| !is_known(id)).collect()
    }

    /// What differs: a case that fails otherwise than is known, and one that is known to fail and
    /// does not. One line each.
    #[must_use]
    pub fn changes(&self, report: &Report) -> Vec<String> {
        let known = match report.role {
            Role::Server => &self.server,
            Role::Client => &self.client,
        };
        let mut changes = Vec::new();
        for outcome in &report.cases {
            let change = match (known.get(&outcome.case), outcome.verdict) {
                (Some(known), verdict) if *known == verdict => continue,
                (Some(known), verdict) => {
                    format!("{}: {verdict}, and it was {known}", outcome.case)
                }
                (None, verdict) if verdict.is_failure() => {
                    format!("{}: {verdict}, which is new", outcome.case)
                }
                (None, _) => continue,
            };
            changes.push(change);
        }
        changes
    }

    /// The file for a report.
    #[must_use]
    pub fn of(report: &Report) -> String {
        let failures = report
            .cases
            .iter()
            .filter(|outcome| outcome.verdict.is_failure());
        let lines = failures.map(|outcome| {
            let verdict = serde_json::to_string(&outcome.verdict).unwrap_or_default();
            format!("\"{}\" = {verdict}\n", outcome.case)
        });
        format!("[{}]\n{}", report.role.id(), lines.collect::<String>())
    }
}
