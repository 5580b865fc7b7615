//! What several pages have in common.

use askama::Template;
use revoir_codes::catalog::source::Evidence;
use revoir_codes::catalog::{Explanation, Statement};
use revoir_codes::facts::Severity;

use crate::pages::frame::Frame;
use crate::pages::steps::{Side, Steps};

/// Writes a template as text.
pub(super) fn written(template: &impl Template) -> String {
    // Rendering into memory fails only if a template's own code does, and none of ours can.
    template.render().unwrap_or_default()
}

/// A sentence and where it comes from, ready to be shown.
pub(super) struct ShownStatement {
    pub(super) html: String,
    pub(super) badge: String,
    evidence: Evidence,
}

/// What is known of a source. What nobody has checked is not shown.
pub(super) fn shown(
    frame: &Frame,
    statements: impl Iterator<Item = Statement>,
) -> Vec<ShownStatement> {
    statements
        .filter(|statement| statement.source.evidence != Evidence::Unverified)
        .map(|statement| ShownStatement {
            html: frame.text(statement.text),
            badge: frame.badge(statement.source),
            evidence: statement.source.evidence,
        })
        .collect()
}

/// What the tags of a page mean: those that it has.
pub(super) fn legend(
    frame: &Frame,
    severities: &[Severity],
    shown: &[&[ShownStatement]],
) -> Vec<(&'static str, &'static str, &'static str)> {
    let locale = frame.locale.text_locale();
    let words = locale.phrases();
    let meant = |severity: Severity| match severity {
        Severity::Fine => words.legend_fine,
        Severity::Planned => words.legend_planned,
        Severity::Refused => words.legend_refused,
        Severity::Fault => words.legend_fault,
        Severity::Depends => words.legend_depends,
    };
    let mut legend: Vec<_> = severities
        .iter()
        .map(|severity| (severity.id(), locale.severity(*severity), meant(*severity)))
        .collect();
    legend.dedup();
    let has = |evidence| {
        let mut all = shown.iter().flat_map(|statements| statements.iter());
        all.any(|one| one.evidence == evidence)
    };
    let tags = [
        (
            Evidence::Standard,
            words.badge_standard,
            words.legend_standard,
        ),
        (Evidence::Read, words.badge_read, words.legend_read),
        (
            Evidence::Measured,
            words.badge_measured,
            words.legend_measured,
        ),
        (
            Evidence::Reported,
            words.badge_reported,
            words.legend_reported,
        ),
    ];
    let tags = tags.into_iter().filter(|(evidence, ..)| has(*evidence));
    legend.extend(tags.map(|(evidence, word, meaning)| (evidence.id(), word, meaning)));
    legend
}

/// The course of an ending as a picture that is also a list.
#[derive(Template)]
#[template(path = "steps.html", whitespace = "minimize")]
pub(super) struct StepsView<'a> {
    frame: &'a Frame,
    severity: &'static str,
    steps: Steps,
}

impl<'a> StepsView<'a> {
    pub(super) fn new(frame: &'a Frame, of: &Explanation) -> Self {
        Self {
            frame,
            severity: of.facts.severity.id(),
            steps: Steps::of(of),
        }
    }

    fn sides(&self) -> [(Side, &String); 2] {
        [
            (Side::Client, &self.steps.seen[0]),
            (Side::Server, &self.steps.seen[1]),
        ]
    }
}
