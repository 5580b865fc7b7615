//! Sections that `explain` and `compare` share.

use revoir_codes::catalog::source::Evidence;
use revoir_codes::catalog::{Explanation, Statement};

use crate::commands::named;
use crate::output::{Page, Screen};

/// That the text is in English although another language was asked for.
pub(crate) fn notice(page: &mut Page<'_>, screen: &Screen) {
    if !screen.locale.is_complete() {
        page.paragraph(0, &screen.faint(screen.locale.labels.not_translated));
        page.gap();
    }
}

/// Statements, marked where nobody has checked them.
pub(crate) fn statements(
    screen: &Screen,
    statements: impl Iterator<Item = Statement>,
) -> Vec<String> {
    let unverified = screen.faint(&format!("[{}]", screen.locale.labels.unverified));
    statements
        .map(|statement| match statement.source.evidence {
            Evidence::Unverified => format!("{} {unverified}", statement.text),
            Evidence::Standard | Evidence::Read | Evidence::Measured | Evidence::Reported => {
                statement.text.to_owned()
            }
        })
        .collect()
}

/// Related codes and links.
pub(crate) fn learn_more(page: &mut Page<'_>, screen: &Screen, codes: &[&Explanation]) {
    let labels = &screen.locale.labels;
    page.heading(labels.learn_more);
    let mut related: Vec<_> = codes
        .iter()
        .flat_map(|of| of.facts.related)
        .filter(|code| codes.iter().all(|of| of.code != **code))
        .collect();
    related.sort();
    related.dedup();
    let related: Vec<_> = related
        .into_iter()
        .map(|&code| named::title(code, screen.locale))
        .collect();
    if !related.is_empty() {
        page.paragraph(2, &screen.faint(labels.related_codes));
        page.bullets(4, related);
    }
    let mut links: Vec<String> = Vec::new();
    for link in codes.iter().flat_map(|of| of.links()) {
        if !links.contains(&link) {
            links.push(link);
        }
    }
    for link in links {
        page.line(&format!("  {link}"));
    }
}
