//! `testdata/policy/`: the table and decisions for other languages, written by the policy itself and
//! read back.
//!
//! After a change of the policy, write the files anew and look at the difference:
//! `REVOIR_WRITE_VECTORS=1 cargo test -p revoir --test it policy_vectors`.

mod browser;
mod format;
mod scenarios;
mod table;

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use format::{DecisionJson, Scenario};

fn path(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/policy");
    folder.join(name)
}

/// Compares the file with what the policy says today, or writes it.
fn assert_fresh(name: &str, text: &str) {
    let path = path(name);
    if std::env::var_os("REVOIR_WRITE_VECTORS").is_some() {
        fs::write(&path, text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(
        written == text,
        "{name} is stale: REVOIR_WRITE_VECTORS=1 cargo test -p revoir --test it policy_vectors"
    );
}

/// Each value on a line of its own.
fn lines<T: Serialize>(values: impl IntoIterator<Item = T>) -> String {
    let line = |value| serde_json::to_string(&value).unwrap();
    let lines: Vec<String> = values.into_iter().map(line).collect();
    lines.join(",\n")
}

#[test]
fn the_table_is_what_the_policy_says_today() {
    assert_fresh("table.json", &table::text());
}

#[test]
fn the_decisions_are_what_the_policy_says_today() {
    assert_fresh("decisions.json", &scenarios::text());
}

#[test]
fn what_pages_see_is_decided_as_the_policy_says_today() {
    assert_fresh("browser.json", &browser::text());
}

#[test]
fn every_decision_in_the_file_is_made_again_from_the_file_alone() {
    let text = fs::read_to_string(path("decisions.json")).unwrap();
    let scenarios: Vec<Scenario> = serde_json::from_str(&text).unwrap();
    let mut decisions = 0;
    for scenario in &scenarios {
        let policy = scenario.policy.build();
        let mut history = scenario.start.build();
        for (number, step) in scenario.steps.iter().enumerate() {
            let ending = step.ending.build();
            let decision = policy.decide(&ending, &history, scenario.now(), step.random);
            history.record(&ending, &decision);
            let name = &scenario.name;
            let found = DecisionJson::of(&decision);
            assert_eq!(found, step.decision, "{name}, step {number}");
            decisions += 1;
        }
    }
    assert!(decisions >= 80, "{decisions} decisions");
}

#[test]
fn what_serde_has_written_and_read_decides_the_same() {
    fn again<T: Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
        serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
    }

    let text = fs::read_to_string(path("decisions.json")).unwrap();
    let scenarios: Vec<Scenario> = serde_json::from_str(&text).unwrap();
    for scenario in scenarios {
        let policy = scenario.policy.build();
        assert_eq!(again(&policy), policy, "{}", scenario.name);
        let (mut history, now) = (scenario.start.build(), scenario.now());
        for step in &scenario.steps {
            let ending = again(&step.ending.build());
            let decision = policy.decide(&ending, &history, now, step.random);
            assert_eq!(
                DecisionJson::of(&decision),
                step.decision,
                "{}",
                scenario.name
            );
            assert_eq!(again(&decision), decision, "{}", scenario.name);
            history.record(&ending, &again(&decision));
        }
    }
}
