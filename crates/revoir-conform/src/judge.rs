//! What a connection that is over means: one verdict, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::case::{Answer, Case, Check, Role};
use crate::record::{End, Seen};
use crate::told::Event;

/// What the suite says of one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// Everything that must hold holds, and what should.
    Ok,
    /// Everything that must hold holds. Something that should does not.
    Tolerated,
    /// Something that must hold does not.
    Wrong,
    /// The application does not learn what happened.
    NotTold,
    /// What had to happen did not happen within the bound of time.
    Hangs,
    /// It cannot be seen without an adapter.
    NotObserved,
    /// The implementation does not have what the case needs.
    Unsupported,
    /// Its process died.
    Crashed,
    /// Three runs differ.
    Flaky,
}

impl Verdict {
    /// All of them, the best first.
    pub const ALL: &'static [Self] = &[
        Self::Ok,
        Self::Tolerated,
        Self::NotObserved,
        Self::Unsupported,
        Self::Flaky,
        Self::NotTold,
        Self::Wrong,
        Self::Hangs,
        Self::Crashed,
    ];

    /// Its word: `not told`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Tolerated => "tolerated",
            Self::Wrong => "wrong",
            Self::NotTold => "not told",
            Self::Hangs => "hangs",
            Self::NotObserved => "not observed",
            Self::Unsupported => "unsupported",
            Self::Crashed => "crashed",
            Self::Flaky => "flaky",
        }
    }

    /// Whether a rule was broken.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(
            self,
            Self::Wrong | Self::NotTold | Self::Hangs | Self::Crashed | Self::Flaky
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A verdict with what speaks against the implementation.
#[derive(Clone, Debug)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// What must hold and does not.
    pub(crate) problems: Vec<String>,
    /// What should hold and does not.
    pub(crate) doubts: Vec<String>,
}

impl Judgement {
    const fn new(verdict: Verdict, problems: Vec<String>) -> Self {
        Self {
            verdict,
            problems,
            doubts: Vec::new(),
        }
    }
}

/// Whether the application has to be told of an end at all.
pub(crate) fn has_an_end_to_tell(role: Role, seen: &Seen) -> bool {
    seen.connected && (role == Role::Client || seen.opened)
}

pub(crate) fn judge(case: &Case, role: Role, seen: &Seen, told: Option<&[Event]>) -> Judgement {
    if let Some(why) = &seen.unsupported {
        return Judgement::new(Verdict::Unsupported, vec![why.clone()]);
    }
    if let Some(why) = &seen.trouble {
        return Judgement::new(Verdict::Wrong, vec![why.clone()]);
    }
    if let (Some(hung), false) = (&seen.hung, seen.connected) {
        return Judgement::new(Verdict::Hangs, vec![hung.clone()]);
    }
    let refused = told.is_some_and(|told| refuses_a_command(case, told));
    // What hangs or is missing then is what was refused.
    if refused && seen.close.is_none() && seen.faults.is_empty() {
        return beyond_its_api();
    }
    let mut problems: Vec<String> = seen.failed.iter().chain(&seen.faults).cloned().collect();
    let (told_musts, wire_musts): (Vec<&Check>, Vec<&Check>) =
        case.musts.iter().partition(|check| check.is_told());
    for check in &wire_musts {
        if let Err(instead) = on_the_wire(check, seen) {
            problems.push(format!("{check}: {instead}"));
        }
    }
    if !problems.is_empty() {
        problems.extend(seen.hung.clone());
        return Judgement::new(Verdict::Wrong, problems);
    }
    if let Some(hung) = &seen.hung {
        return Judgement::new(Verdict::Hangs, vec![hung.clone()]);
    }
    let mut doubts = seen.doubts.clone();
    match told {
        Some(told) => {
            if refused {
                return beyond_its_api();
            }
            let (verdict, problems) = of_told(&told_musts, role, seen, told);
            if verdict != Verdict::Ok {
                return Judgement::new(verdict, problems);
            }
        }
        None if !told_musts.is_empty() && wire_musts.is_empty() => {
            let why = "what the application is told needs an adapter".to_owned();
            return Judgement::new(Verdict::NotObserved, vec![why]);
        }
        None => {}
    }
    for check in &case.shoulds {
        let held = match (check.is_told(), told) {
            (false, _) => on_the_wire(check, seen),
            (true, Some(told)) => of_the_application(check, told).map_err(|miss| miss.1),
            (true, None) => Ok(()),
        };
        if let Err(instead) = held {
            doubts.push(format!("{check}: {instead}"));
        }
    }
    let verdict = match doubts.is_empty() {
        true => Verdict::Ok,
        false => Verdict::Tolerated,
    };
    Judgement {
        verdict,
        problems: Vec::new(),
        doubts,
    }
}

fn beyond_its_api() -> Judgement {
    let why = "its API cannot do what the case asks for".to_owned();
    Judgement::new(Verdict::Unsupported, vec![why])
}

/// A command that the API refuses, in a case that is about something else.
fn refuses_a_command(case: &Case, told: &[Event]) -> bool {
    let asks = |check: &Check| matches!(check, Check::ToldRefused);
    !case.musts.iter().chain(&case.shoulds).any(asks)
        && told.iter().any(|event| event.event == "refused")
}

fn of_told(musts: &[&Check], role: Role, seen: &Seen, told: &[Event]) -> (Verdict, Vec<String>) {
    let closed = told.iter().filter(|event| event.event == "closed").count();
    if closed > 1 {
        let problem = format!("the application is told {closed} times that the connection is over");
        return (Verdict::Wrong, vec![problem]);
    }
    if closed == 0 && has_an_end_to_tell(role, seen) {
        let problem = "the application is not told that the connection is over".to_owned();
        return (Verdict::NotTold, vec![problem]);
    }
    let mut verdict = Verdict::Ok;
    let mut problems = Vec::new();
    for check in musts {
        if let Err((miss, instead)) = of_the_application(check, told) {
            problems.push(format!("{check}: {instead}"));
            if verdict != Verdict::Wrong {
                verdict = miss;
            }
        }
    }
    (verdict, problems)
}

fn answered(seen: &Seen) -> String {
    match seen.close_code() {
        None => "no Close frame came".to_owned(),
        Some(None) => "a Close frame without a code came".to_owned(),
        Some(Some(code)) => format!("Close {code} came"),
    }
}

fn has_answered(answers: &[Answer], seen: &Seen) -> bool {
    answers
        .iter()
        .any(|answer| match (answer, seen.close_code()) {
            (Answer::None, None) | (Answer::Any, Some(_)) | (Answer::Empty, Some(None)) => true,
            (Answer::Code(code), Some(Some(seen))) => *code == seen,
            _ => false,
        })
}

/// Whether a check of the wire holds, or what was instead.
fn on_the_wire(check: &Check, seen: &Seen) -> Result<(), String> {
    let (holds, instead) = match check {
        Check::Opened(wanted) => (
            seen.opened == *wanted,
            match seen.status {
                Some(status) => format!("the status is {status}"),
                None => "there was no answer".to_owned(),
            },
        ),
        Check::Status(low, high) => match seen.status {
            Some(status) => ((*low..=*high).contains(&status), format!("it is {status}")),
            None => (false, "there was no answer".to_owned()),
        },
        Check::Answer(answers) => (has_answered(answers, seen), answered(seen)),
        Check::NotAnswer(answers) => (!has_answered(answers, seen), answered(seen)),
        Check::NoEcho => (
            seen.messages.len() <= seen.awaited,
            format!(
                "{} came",
                seen.messages.len() - seen.awaited.min(seen.messages.len())
            ),
        ),
        Check::EndsWithFin => match &seen.end {
            Some(End::Reset(why)) => (false, why.clone()),
            Some(End::Cut) => (false, "FIN came without close_notify".to_owned()),
            _ => (true, String::new()),
        },
        Check::WaitsForFin => (!seen.ended_first, "it ended TCP first".to_owned()),
        _ => (true, String::new()),
    };
    match holds {
        true => Ok(()),
        false => Err(instead),
    }
}

/// Codes that stand for an end that somebody asked for.
const fn is_usual(code: u16) -> bool {
    matches!(code, 1000 | 1001 | 1005 | 1012..=1014 | 3000..)
}

/// Whether a check of what the application was told holds, or what was instead.
fn of_the_application(check: &Check, told: &[Event]) -> Result<(), (Verdict, String)> {
    let closed = told.iter().find(|event| event.event == "closed");
    let messages = || told.iter().filter(|event| event.event == "message");
    let wrong = |instead: String| Err((Verdict::Wrong, instead));
    let not_told = |instead: &str| Err((Verdict::NotTold, instead.to_owned()));
    match check {
        Check::ToldMessages(count) => match messages().count() {
            seen if seen == *count => Ok(()),
            seen => wrong(format!("it is told {seen}")),
        },
        Check::ToldText(text) => match messages().any(|event| event.text.as_ref() == Some(text)) {
            true => Ok(()),
            false => not_told("it is not"),
        },
        Check::ToldLength(length) => match messages().any(|event| event.length == Some(*length)) {
            true => Ok(()),
            false => not_told("it is not"),
        },
        Check::ToldOpened(wanted) => {
            match (told.iter().any(|event| event.event == "opened"), *wanted) {
                (true, false) => wrong("it is told that it opened".to_owned()),
                (false, true) => not_told("it is not"),
                _ => Ok(()),
            }
        }
        Check::ToldSaying(text) => match told.iter().any(|event| event.says(text)) {
            true => Ok(()),
            false => not_told("it does not"),
        },
        Check::ToldRefused => match told.iter().any(|event| event.event == "refused") {
            true => Ok(()),
            false => wrong("it does not".to_owned()),
        },
        _ => match closed {
            Some(closed) => of_the_end(check, closed, told),
            None => not_told("it is told of no end"),
        },
    }
}

/// `told` is everything, `closed` is in it.
fn of_the_end(check: &Check, closed: &Event, told: &[Event]) -> Result<(), (Verdict, String)> {
    let wrong = |instead: String| Err((Verdict::Wrong, instead));
    let not_told = |instead: &str| Err((Verdict::NotTold, instead.to_owned()));
    match (check, closed.code) {
        (Check::ToldCode(codes), Some(code)) if codes.contains(&code) => Ok(()),
        (Check::ToldCode(_), Some(code)) => wrong(format!("it is told {code}")),
        // An API without numbers has none for the lack of a code.
        (Check::ToldCode(codes), None) if codes.contains(&1005) || codes.contains(&1006) => Ok(()),
        (Check::ToldCode(_), None) => not_told("it is told no code"),
        (Check::ToldFailure, Some(code)) if is_usual(code) => wrong(format!("it is told {code}")),
        (Check::ToldFailure, None) => match told.iter().any(Event::is_of_failure) {
            true => Ok(()),
            false => not_told("it is told of an end, and of nothing wrong"),
        },
        (Check::ToldReason(reason), _) => match &closed.reason {
            Some(told) if told == reason => Ok(()),
            Some(told) => wrong(format!("it is told {told:?}")),
            None => not_told("it is told no reason"),
        },
        (Check::ToldClean(wanted), _) => match closed.clean {
            Some(told) if told != *wanted => wrong("it is told otherwise".to_owned()),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}
