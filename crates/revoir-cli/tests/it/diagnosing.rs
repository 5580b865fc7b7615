//! `diagnose` from evidence alone: the cases of testdata/diagnosis, and docs/diagnose-cases.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use revoir_cli::environment::Environment;
use serde::Deserialize;
use serde_json::Value;

use crate::support::fields::{documented, keys};
use crate::support::{run, stdout};

const CASES: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/cases.toml"));
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/diagnose-cases.md");

const HEAD: &str = "\
# What `diagnose` makes of evidence

Each case is something that happened, what somebody knows of it, and the cause behind it. A test gives what
is known to `revoir diagnose` and looks for the cause (`cargo test -p revoir-cli --test it diagnosing`; with
`REVOIR_WRITE_DOCS=1` it writes this page from `testdata/diagnosis/cases.toml`). `rank` is the place of the
right cause. It is 1, or 2 where the evidence cannot separate two; why is said below the table.
";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    /// Causes without a case, and why.
    without: BTreeMap<String, String>,
    group: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    title: String,
    case: Vec<Case>,
}

/// One ending. The keys are explained in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    what: String,
    #[serde(default)]
    known: String,
    #[serde(default)]
    console: Vec<String>,
    cause: String,
    tie: Option<String>,
}

impl Case {
    fn args(&self) -> Vec<&str> {
        let texts = self.console.iter().flat_map(|text| ["--console", text]);
        ["revoir", "diagnose", "--json"]
            .into_iter()
            .chain(self.known.split_whitespace())
            .chain(texts)
            .collect()
    }

    /// What is known, as it would be typed.
    fn typed(&self) -> String {
        let texts = self
            .console
            .iter()
            .map(|text| format!("--console \"{text}\""));
        let known = (!self.known.is_empty()).then(|| self.known.clone());
        let parts: Vec<String> = known.into_iter().chain(texts).collect();
        parts.join(" ").replace('|', "\\|")
    }

    fn diagnosis(&self) -> Value {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = self.args().into_iter().map(Into::into);
        let exit = revoir_cli::run(args, &Environment::plain(), &mut out, &mut err);
        assert_eq!(
            exit.code(),
            0,
            "{}: {}",
            self.what,
            String::from_utf8_lossy(&err)
        );
        serde_json::from_slice(&out).unwrap()
    }
}

fn cases() -> Cases {
    toml::from_str(CASES).unwrap()
}

/// The place of a cause among those that were found, from 1.
fn rank(diagnosis: &Value, cause: &str) -> Option<usize> {
    let causes = diagnosis["causes"].as_array().unwrap();
    let place = causes.iter().position(|found| found["id"] == cause);
    place.map(|place| place + 1)
}

#[test]
fn the_right_cause_is_first_or_second_where_evidence_cannot_separate_two() {
    let mut wrong = Vec::new();
    for case in cases().group.iter().flat_map(|group| &group.case) {
        let diagnosis = case.diagnosis();
        let found = rank(&diagnosis, &case.cause);
        let worst = if case.tie.is_some() { 2 } else { 1 };
        if found.is_none_or(|rank| rank > worst) {
            let first = &diagnosis["cause"];
            wrong.push(format!("{}: {found:?}, first is {first}", case.what));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_cases_for_nearly_every_cause() {
    let cases = cases();
    let all: Vec<&Case> = cases.group.iter().flat_map(|group| &group.case).collect();
    assert!(all.len() >= 60);
    let shown: BTreeSet<&str> = all.iter().map(|case| case.cause.as_str()).collect();
    let left_out: BTreeSet<&str> = revoir_codes::catalog::causes::all_causes(english())
        .map(|(facts, _)| facts.id)
        .filter(|id| !shown.contains(id))
        .collect();
    let without: BTreeSet<&str> = cases.without.keys().map(String::as_str).collect();
    assert_eq!(left_out, without);
    assert!(cases.without.values().all(|why| !why.is_empty()));
}

fn english() -> &'static revoir_codes::catalog::Locale {
    revoir_codes::catalog::Locale::english()
}

#[test]
fn the_page_of_cases_is_up_to_date() {
    let mut page = HEAD.to_owned();
    let mut ties = Vec::new();
    for group in &cases().group {
        let _ = write!(
            page,
            "\n## {}\n\n| what happened | what is known | the cause | rank | verdict |\n\
             |---|---|---|---|---|\n",
            group.title
        );
        for case in &group.case {
            let diagnosis = case.diagnosis();
            let rank = rank(&diagnosis, &case.cause)
                .map_or_else(|| "–".to_owned(), |rank| rank.to_string());
            let verdict = diagnosis["verdict"].as_str().unwrap();
            let _ = writeln!(
                page,
                "| {} | `{}` | `{}` | {rank} | {verdict} |",
                case.what,
                case.typed(),
                case.cause
            );
            ties.extend(
                case.tie
                    .as_ref()
                    .map(|why| (case.what.clone(), why.clone())),
            );
        }
    }
    page += "\n## What the evidence cannot separate\n\n";
    for (what, why) in ties {
        let _ = writeln!(page, "- {what}: {why}.");
    }
    if std::env::var_os("REVOIR_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "docs/diagnose-cases.md is out of date: REVOIR_WRITE_DOCS=1"
    );
}

#[test]
fn a_diagnosis_begins_with_the_verdict_and_ends_with_what_would_tell_more() {
    insta::assert_snapshot!(run(&[
        "diagnose", "--code", "1006", "--opened", "yes", "--idle", "60.1"
    ]));
}

#[test]
fn a_diagnosis_is_there_in_every_complete_language() {
    for lang in ["zh", "vi", "fr"] {
        insta::assert_snapshot!(
            format!("diagnose_{lang}"),
            run(&[
                "diagnose",
                "--code",
                "1006",
                "--console",
                "Unexpected response code: 426",
                "--lang",
                lang
            ])
        );
    }
}

#[test]
fn what_is_known_may_say_nothing_of_the_cause() {
    insta::assert_snapshot!(run(&["diagnose", "--console", "it does not work"]));
}

#[test]
fn evidence_that_points_at_no_cause_names_none() {
    for known in [
        &["--code", "1006", "--clean", "yes"][..],
        &["--opened", "no", "--idle", "60"],
    ] {
        let text = stdout(&[&["diagnose"][..], known].concat());
        assert!(text.starts_with("None of the known causes fits"), "{text}");
        assert!(text.contains("These contradict each other"), "{text}");
        assert!(!text.contains(" %"), "{text}");
        let text = stdout(&[&["diagnose", "--json"][..], known].concat());
        let diagnosis: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(diagnosis["cause"], Value::Null, "{text}");
        assert_eq!(diagnosis["confidence"], Value::Null, "{text}");
    }
}

#[test]
fn a_status_of_101_says_that_it_opened() {
    let causes = |known: &[&str]| {
        let text = stdout(&[&["diagnose", "--json", "--idle", "60.1"][..], known].concat());
        serde_json::from_str::<Value>(&text).unwrap()["causes"].clone()
    };
    let opened = causes(&["--opened", "yes"]);
    assert_eq!(causes(&["--status", "101"]), opened);
    assert_eq!(opened[0]["id"], "idle-proxy");
    assert_ne!(causes(&["--status", "101", "--opened", "no"]), opened);
}

#[test]
fn nothing_known_is_a_mistake_of_the_command_line() {
    insta::assert_snapshot!(run(&["diagnose"]));
}

#[test]
fn a_malformed_header_or_cookie_is_not_repeated() {
    for args in [
        &[
            "diagnose",
            "ws://a.example",
            "-H",
            "Authorization Bearer s3cr3t",
        ][..],
        &[
            "diagnose",
            "ws://a.example",
            "-H",
            "Authorization Bearer a:s3cr3t",
        ],
        &["diagnose", "ws://a.example", "--cookie", "s3cr3t"],
        &["diagnose", "ws://a.example", "--cookie", "a=b; c=s3cr3t"],
        &[
            "connect",
            "ws://a.example",
            "-H",
            "Authorization Bearer s3cr3t",
        ],
    ] {
        let shown = run(args);
        assert!(!shown.contains("s3cr3t"), "{shown}");
        assert!(shown.contains("expected a name"), "{shown}");
        assert!(
            shown.contains("--header") || shown.contains("--cookie"),
            "{shown}"
        );
    }
}

#[test]
fn the_json_has_the_documented_fields() {
    let text = stdout(&[
        "diagnose", "--json", "--opened", "yes", "--idle", "350.2", "--tcp", "rst",
    ]);
    let diagnosis: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(keys(&diagnosis), documented("diagnosis"));
    let cause = &diagnosis["causes"][0];
    assert_eq!(keys(cause), documented("ranked cause"));
    assert_eq!(keys(&cause["for"][0]), documented("weighed sign"));
    assert_eq!(keys(&cause["settings"][0]), documented("setting"));
    assert_eq!(keys(&diagnosis["signs"][0]), documented("sign"));
    assert_eq!(
        keys(&diagnosis["intermediaries"][0]),
        documented("intermediary")
    );
    assert_eq!(diagnosis["steps"], Value::Array(Vec::new()));
}

#[test]
fn control_characters_of_a_stranger_are_escaped_in_every_output() {
    let stranger = "Close frame: \u{9b}31m\u{7f} \u{1b}[31m";
    for output in [&[][..], &["--json"]] {
        let args = [&["diagnose", "--console", stranger], output].concat();
        let said = stdout(&args);
        let is_raw = |c: char| c.is_control() && c != '\n';
        assert!(!said.contains(is_raw), "{said:?}");
    }
}
