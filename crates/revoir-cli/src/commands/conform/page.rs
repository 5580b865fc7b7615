//! A run, and the cases, as text.

use std::fmt::Write;

use revoir_conform::{Case, Report, Suite, Verdict};
use serde_json::json;

use crate::output::{Page, Screen, json};
use crate::printable;

/// The longest line of a problem.
const LONGEST: usize = 400;

pub(super) fn cases(cases: &[Case], screen: &Screen) -> String {
    if screen.json {
        return cases.iter().map(|case| json::line(&fields(case))).collect();
    }
    let width = cases.iter().map(|case| case.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for case in cases {
        let _ = writeln!(out, "{:width$}  {} ({})", case.id, case.title, case.rule);
    }
    out
}

/// All cases as one array.
pub(super) fn cases_json(cases: &[Case]) -> String {
    serde_json::Value::from(cases.iter().map(fields).collect::<Vec<_>>()).to_string()
}

fn fields(case: &Case) -> serde_json::Value {
    json!({
        "id": case.id,
        "title": case.title,
        "roles": case.roles,
        "rule": case.rule,
        "play": case.play,
        "must": case.musts(),
        "should": case.shoulds(),
        "may": case.may,
        "why": case.why,
        "within_s": case.within.as_secs(),
        "tls": case.needs_tls,
        "deflate": case.needs_deflate,
        "mutants": case.mutants,
    })
}

/// What came of a run: first the numbers, then what is not as it must be.
pub(super) fn outcomes(
    suite: &Suite,
    report: &Report,
    changes: Option<&[String]>,
    screen: &Screen,
) -> String {
    let mut page = Page::new(screen);
    let tls = if report.tls { " over TLS" } else { "" };
    let version = match &*report.version {
        "" => String::new(),
        version => format!(" {version}"),
    };
    let (seconds, tenths) = (report.ms / 1000, report.ms % 1000 / 100);
    page.line(&format!(
        "{}{version} as a {}{tls}: {} in {seconds}.{tenths} s, suite {}",
        printable::one_line(&report.name, 80),
        report.role.id(),
        printable::counted(report.cases.len() as u64, "case"),
        report.suite,
    ));
    let counts = Verdict::ALL
        .iter()
        .filter(|verdict| report.count(**verdict) > 0);
    let counts: Vec<String> = counts
        .map(|verdict| format!("{} {verdict}", report.count(*verdict)))
        .collect();
    page.line(&counts.join(", "));
    for outcome in report
        .cases
        .iter()
        .filter(|outcome| outcome.verdict.is_failure())
    {
        let case = suite.cases.iter().find(|case| case.id == outcome.case);
        let (title, rule) = case.map_or(("", ""), |case| (&case.title, &case.rule));
        page.gap();
        page.line(&format!(
            "{}: {} - {title} ({rule})",
            outcome.case, outcome.verdict
        ));
        for problem in &outcome.problems {
            page.line(&format!("  {}", printable::one_line(problem, LONGEST)));
        }
    }
    if let Some(changes) = changes {
        page.gap();
        match changes {
            [] => page.line("nothing has changed"),
            changes => {
                for change in changes {
                    page.line(change);
                }
            }
        }
    }
    page.finish()
}
