//! What several pages have in common.

use askama::Template;
use revoir_codes::catalog::source::Evidence;
use revoir_codes::catalog::{Explanation, Locale, Statement};
use revoir_codes::facts::Severity;

use crate::pages::evidence::word;
use crate::pages::frame::Frame;
use crate::pages::steps::{Side, Steps};

/// Writes a template as text.
pub(super) fn written(template: &impl Template) -> String {
    // Rendering into memory fails only if a template's own code does, and none of ours can.
    template.render().unwrap_or_default()
}

/// A document that says more.
#[derive(PartialEq, Eq)]
pub(super) struct Document {
    pub(super) href: String,
    /// What it is called, in English.
    pub(super) name: String,
}

/// Where more is said of these codes, each document once.
pub(super) fn documents<'a>(codes: impl IntoIterator<Item = &'a Explanation>) -> Vec<Document> {
    let mut found = Vec::new();
    for href in codes.into_iter().flat_map(Explanation::links) {
        let name = match href.split_once("#section-") {
            Some((_, section)) => format!("RFC 6455 §{section}"),
            None => "IANA: WebSocket Close Code Number Registry".to_owned(),
        };
        let document = Document { href, name };
        if !found.contains(&document) {
            found.push(document);
        }
    }
    // The registry is for all of them.
    found.sort_by_key(|of| !of.name.starts_with("RFC"));
    found
}

/// A sentence and where it comes from, ready to be shown.
pub(super) struct ShownStatement {
    pub(super) html: String,
    pub(super) badge: String,
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
        })
        .collect()
}

/// A tag of the pages, and what it means.
pub(super) struct LegendTag {
    /// The class that gives its colour.
    pub(super) id: &'static str,
    pub(super) word: &'static str,
    pub(super) meaning: &'static str,
}

/// What every tag means: how bad an ending is, and how a statement is known.
pub(super) fn legend(locale: &'static Locale) -> Vec<LegendTag> {
    let words = locale.text_locale().phrases();
    let severities = [
        (Severity::Fine, words.legend_fine),
        (Severity::Planned, words.legend_planned),
        (Severity::Refused, words.legend_refused),
        (Severity::Fault, words.legend_fault),
        (Severity::Depends, words.legend_depends),
    ];
    let severities = severities.map(|(severity, meaning)| LegendTag {
        id: severity.id(),
        word: locale.severity(severity),
        meaning,
    });
    let evidence = [
        (Evidence::Standard, words.legend_standard),
        (Evidence::Read, words.legend_read),
        (Evidence::Measured, words.legend_measured),
        (Evidence::Reported, words.legend_reported),
    ];
    let evidence = evidence.map(|(evidence, meaning)| LegendTag {
        id: evidence.id(),
        word: word(evidence, locale),
        meaning,
    });
    severities.into_iter().chain(evidence).collect()
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
