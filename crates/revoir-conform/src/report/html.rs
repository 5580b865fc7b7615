//! A page of implementation x case; a cell opens the bytes, the times and the rule.

use std::fmt::Write;

use crate::case::Case;
use crate::judge::Verdict;
use crate::outcome::{Outcome, Report};
use crate::report::escaped;
use crate::suite::Suite;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// What a cell of the page shows once it is opened: a script of its own for each run, so that a page
/// of thirty implementations stays small. `name` is what the page calls it.
#[must_use]
pub fn script(name: &str, report: &Report) -> String {
    let cases = serde_json::to_string(&report.cases).unwrap_or_default();
    // It stands in a script, which `</script>` in a message would end.
    let cases = cases.replace('<', "\\u003c");
    let name = serde_json::to_string(name).unwrap_or_default();
    format!("conform({name}, {cases});\n")
}

/// The page for these runs. Each comes with its name, beside which the script [`script`] lies as
/// `NAME.js`.
#[must_use]
pub fn page(suite: &Suite, runs: &[(String, Report)]) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>revoir conform</title>\n\
         <style>\n{STYLE}</style>\n<header>\n<h1>How connections end</h1>\n\
         <p>Suite {}, {} cases. A cell says what one implementation did in one case: open it for the bytes, the times and \
         the rule.</p>\n",
        crate::suite::VERSION,
        suite.cases.len(),
    );
    legend(&mut out, runs);
    out.push_str("</header>\n<main>\n<div class=\"scroll\"><table>\n");
    heads(&mut out, runs);
    for group in &suite.groups {
        let cases: Vec<&Case> = suite
            .cases
            .iter()
            .filter(|case| case.group == group.name)
            .collect();
        let played = |case: &&&Case| {
            runs.iter()
                .any(|(_, report)| outcome(report, &case.id).is_some())
        };
        let cases: Vec<&Case> = cases.iter().filter(played).copied().collect();
        if cases.is_empty() {
            continue;
        }
        let _ = writeln!(
            out,
            "<tbody><tr class=\"group\"><th colspan=\"{}\" scope=\"rowgroup\"><b>{}</b> <span>{}</span></th></tr>",
            runs.len() + 1,
            escaped(&group.name),
            escaped(&group.about),
        );
        for case in cases {
            row(&mut out, case, runs);
        }
        out.push_str("</tbody>\n");
    }
    out.push_str("</table></div>\n</main>\n<dialog id=\"cell\"></dialog>\n");
    let _ = writeln!(
        out,
        "<script>\nconst rules = {};\n{SCRIPT}</script>\n</html>",
        rules(suite)
    );
    out
}

fn outcome<'a>(report: &'a Report, id: &str) -> Option<&'a Outcome> {
    report.cases.iter().find(|outcome| outcome.case == id)
}

/// A letter or sign for each verdict: colours alone say nothing to some readers.
const fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "✓",
        Verdict::Tolerated => "~",
        Verdict::Wrong => "✗",
        Verdict::NotTold => "?",
        Verdict::Hangs => "∞",
        Verdict::NotObserved => "·",
        Verdict::Unsupported => "–",
        Verdict::Crashed => "!",
        Verdict::Flaky => "≈",
    }
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Tolerated => "tolerated",
        Verdict::Wrong => "wrong",
        Verdict::NotTold => "not-told",
        Verdict::Hangs => "hangs",
        Verdict::NotObserved | Verdict::Unsupported => "none",
        Verdict::Crashed => "crashed",
        Verdict::Flaky => "flaky",
    }
}

fn legend(out: &mut String, runs: &[(String, Report)]) {
    out.push_str("<ul class=\"legend\">");
    for verdict in Verdict::ALL {
        let count: usize = runs.iter().map(|(_, report)| report.count(*verdict)).sum();
        let _ = write!(
            out,
            "<li><span class=\"{}\">{}</span> {verdict} <small>{count}</small></li>",
            class(*verdict),
            sign(*verdict),
        );
    }
    out.push_str(
        "</ul>\n<label><input type=\"checkbox\" id=\"failing\"> only cases that one of them fails</label>\n",
    );
}

fn heads(out: &mut String, runs: &[(String, Report)]) {
    out.push_str("<thead><tr><th scope=\"col\">case</th>");
    for (_, report) in runs {
        let tls = if report.tls { ", TLS" } else { "" };
        let _ = write!(
            out,
            "<th scope=\"col\"><div><b>{}</b> {}<br><small>{}{tls}, {}</small></div>{}</th>",
            escaped(&report.name),
            escaped(&report.version),
            report.role.id(),
            escaped(&report.date),
            shares(report),
        );
    }
    out.push_str("</tr></thead>\n");
}

/// How many cases came out how, as a bar.
fn shares(report: &Report) -> String {
    let part = |verdict: &Verdict| match report.count(*verdict) {
        0 => String::new(),
        count => format!(
            "<i class=\"{}\" style=\"flex-grow:{count}\" title=\"{count} {verdict}\"></i>",
            class(*verdict)
        ),
    };
    let parts: String = Verdict::ALL.iter().map(part).collect();
    format!("<span class=\"shares\">{parts}</span>")
}

fn row(out: &mut String, case: &Case, runs: &[(String, Report)]) {
    let cells: Vec<_> = runs
        .iter()
        .map(|(name, report)| (name, report, outcome(report, &case.id)))
        .collect();
    let is_failed = cells
        .iter()
        .filter_map(|(.., outcome)| *outcome)
        .any(|outcome| outcome.verdict.is_failure());
    let fails = if is_failed { " class=\"fails\"" } else { "" };
    let _ = write!(
        out,
        "<tr id=\"{id}\"{fails}><th scope=\"row\"><a href=\"#{id}\"><code>{id}</code></a> <span>{}</span></th>",
        escaped(&case.title),
        id = escaped(&case.id),
    );
    for (name, report, outcome) in cells {
        let _ = match outcome {
            None => write!(out, "<td></td>"),
            Some(outcome) => write!(
                out,
                "<td><button class=\"{}\" data-run=\"{}\" aria-label=\"{}: {}\" title=\"{}\">{}</button></td>",
                class(outcome.verdict),
                escaped(name),
                escaped(&report.name),
                outcome.verdict,
                outcome.verdict,
                sign(outcome.verdict),
            ),
        };
    }
    out.push_str("</tr>\n");
}

/// What the cases ask for, for the cells.
fn rules(suite: &Suite) -> String {
    let rules = suite.cases.iter().map(|case| {
        let rule = serde_json::json!({
            "title": case.title,
            "rule": case.rule,
            "play": case.play,
            "must": case.musts(),
            "should": case.shoulds(),
            "may": case.may,
            "why": case.why,
        });
        (case.id.clone(), rule)
    });
    let rules: serde_json::Map<String, serde_json::Value> = rules.collect();
    serde_json::Value::Object(rules)
        .to_string()
        .replace('<', "\\u003c")
}
