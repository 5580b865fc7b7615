//! JUnit's XML, which every CI reads.

use std::fmt::Write;

use crate::judge::Verdict;
use crate::outcome::Report;
use crate::report::escaped;

/// The run as one test suite. What is unsupported or was not observed is skipped; what broke a rule has
/// failed.
#[must_use]
pub fn junit(report: &Report) -> String {
    let seconds = |ms: u64| format!("{}.{:03}", ms / 1000, ms % 1000);
    let skipped = report.count(Verdict::Unsupported) + report.count(Verdict::NotObserved);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<testsuite name=\"revoir conform {}: {} as a {}\" tests=\"{}\" failures=\"{}\" skipped=\"{skipped}\" time=\"{}\">",
        escaped(&report.suite),
        escaped(&report.name),
        report.role.id(),
        report.cases.len(),
        report.failures(),
        seconds(report.ms),
    );
    for outcome in &report.cases {
        let _ = write!(
            out,
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{}\"",
            report.role.id(),
            escaped(&outcome.case),
            seconds(outcome.ms),
        );
        let why = escaped(&outcome.problems.join("\n"));
        let _ = match outcome.verdict {
            Verdict::Unsupported | Verdict::NotObserved => {
                writeln!(
                    out,
                    "><skipped message=\"{}: {why}\"/></testcase>",
                    outcome.verdict
                )
            }
            verdict if verdict.is_failure() => {
                writeln!(
                    out,
                    "><failure message=\"{verdict}\">{why}</failure></testcase>"
                )
            }
            _ => writeln!(out, "/>"),
        };
    }
    out.push_str("</testsuite>\n");
    out
}
