//! `testdata/policy/table.json`: the rows of the policy, found by asking it.

use std::time::{Duration, SystemTime};

use revoir::reconnect::{Decision, DelayClass, History, Profile};
use revoir::{Cause, Ending, Policy, SendCode};
use serde::Serialize;

use super::lines;
use crate::support::endings::{closed, refused, with_cause};

/// Attempts whose ranges are listed; the last is past every limit.
const ATTEMPTS: [u32; 9] = [1, 2, 3, 4, 5, 6, 7, 20, 1_000_000];

#[derive(Serialize)]
struct ClassRow {
    class: &'static str,
    attempt: u32,
    min_ms: u32,
    max_ms: u32,
}

#[derive(Serialize)]
struct ProfileRow {
    profile: &'static str,
    #[serde(flatten)]
    row: Row,
}

#[derive(Serialize)]
struct Row {
    first: u16,
    last: u16,
    #[serde(flatten)]
    says: Says,
}

#[derive(Serialize)]
struct CauseRow {
    cause: &'static str,
    #[serde(flatten)]
    says: Says,
}

/// What a rule says, whatever the number.
#[derive(PartialEq, Eq, Serialize)]
struct Says {
    rule: String,
    first_class: Option<&'static str>,
    later_class: Option<&'static str>,
    attempts: Option<usize>,
    refresh: bool,
    resume: bool,
}

/// The whole file: a line for each row.
pub(super) fn text() -> String {
    let policy = Policy::new().with_refresh(true);
    let statuses = (200..=599).map(|status| (status, refused(status, None)));
    let causes = Cause::ALL
        .iter()
        .copied()
        .filter(|cause| !matches!(cause, Cause::ClosedByPeer | Cause::HandshakeRejected))
        .map(|cause| CauseRow {
            cause: cause.id(),
            says: says(&with_cause(cause), &policy),
        });
    let parts = [
        ("classes", lines(classes())),
        ("codes", lines(rows(codes(), &policy))),
        ("statuses", lines(rows(statuses, &policy))),
        ("causes", lines(causes)),
        ("profiles", lines(profiles(&policy))),
    ];
    let part = |(name, rows)| format!("\"{name}\": [\n{rows}\n]");
    format!("{{\n{}\n}}\n", parts.map(part).join(",\n"))
}

fn classes() -> impl Iterator<Item = ClassRow> {
    let row = |class: DelayClass, attempt| {
        let range = class.range(attempt);
        ClassRow {
            class: class.id(),
            attempt,
            min_ms: range.min_ms,
            max_ms: range.max_ms,
        }
    };
    let classes = DelayClass::ALL.iter().copied();
    classes.flat_map(move |class| ATTEMPTS.map(|attempt| row(class, attempt)))
}

fn profiles(policy: &Policy) -> impl Iterator<Item = ProfileRow> {
    Profile::ALL.iter().flat_map(move |&profile| {
        let policy = policy.clone().with_profile(profile);
        let codes = codes().filter(|(code, _)| *code >= 3000);
        // What the profile does not know is in the general table.
        let is_own = |row: &Row| {
            !["range-", "code-"]
                .iter()
                .any(|it| row.says.rule.starts_with(it))
        };
        let rows = rows(codes, &policy).into_iter().filter(is_own);
        let profile = profile.id();
        rows.map(|row| ProfileRow { profile, row })
            .collect::<Vec<_>>()
    })
}

/// Every number that an ending can have, with such an ending.
fn codes() -> impl Iterator<Item = (u16, Ending)> {
    (0..=u16::MAX)
        .filter(|code| matches!(code, 1005 | 1006 | 1015) || SendCode::try_from(*code).is_ok())
        .map(|code| (code, ended_with(code)))
}

fn ended_with(code: u16) -> Ending {
    match code {
        1006 => with_cause(Cause::Eof),
        1015 => with_cause(Cause::TlsFailed),
        code => closed(code, ""),
    }
}

/// Neighbours that the same rule speaks of become one row.
fn rows(endings: impl Iterator<Item = (u16, Ending)>, policy: &Policy) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (number, ending) in endings {
        let says = says(&ending, policy);
        match rows.last_mut() {
            Some(row) if row.last + 1 == number && row.says == says => row.last = number,
            _ => rows.push(Row {
                first: number,
                last: number,
                says,
            }),
        }
    }
    rows
}

fn says(ending: &Ending, policy: &Policy) -> Says {
    let decide = |history: &History| policy.decide(ending, history, SystemTime::UNIX_EPOCH, 0);
    let class = |decision: &Decision| decision.is_retry().then(|| decision.class.id());
    let first = decide(&History::new());
    let later = decide(&History::after(1, Duration::ZERO));
    let mut history = History::new();
    let mut attempts = 0;
    while attempts < 10 {
        let decision = decide(&history);
        if !decision.is_retry() {
            break;
        }
        history.record(ending, &decision);
        attempts += 1;
    }
    Says {
        rule: first.rule.clone().into_owned(),
        first_class: class(&first),
        later_class: class(&later),
        attempts: (1..10).contains(&attempts).then_some(attempts),
        refresh: first.refresh,
        resume: first.resume,
    }
}
