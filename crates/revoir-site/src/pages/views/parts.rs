//! What several pages have in common.

use askama::Template;
use revoir_codes::catalog::source::Evidence;
use revoir_codes::catalog::{Explanation, Statement};

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
    pub(super) source: &'static str,
    pub(super) unverified: bool,
}

pub(super) fn shown(
    frame: &Frame,
    statements: impl Iterator<Item = Statement>,
) -> Vec<ShownStatement> {
    statements
        .map(|statement| ShownStatement {
            html: frame.text(statement.text),
            source: statement.source.place,
            unverified: statement.source.evidence == Evidence::Unverified,
        })
        .collect()
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
