//! The facts about a code as a table, the same on a screen and on a page.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::catalog::explain::Explanation;

/// The facts about a code as labels and values, for a table.
#[must_use]
pub fn fact_rows(of: &Explanation) -> Vec<(&'static str, String)> {
    let (locale, facts) = (of.locale, of.facts);
    let labels = &locale.labels;
    let mut rows = Vec::new();
    if of.code.name().is_some_and(|name| name != of.text.title) {
        rows.push((labels.name, facts.name.to_owned()));
    }
    rows.extend([
        (labels.on_the_wire, locale.wire(facts.wire).to_owned()),
        (labels.who_may_send, locale.senders(facts.senders)),
        (labels.clean, locale.clean(facts.clean).to_owned()),
        (labels.browser_shows, of.browser()),
    ]);
    if let Some(status) = facts.http {
        rows.push((labels.http_counterpart, status.to_string()));
    }
    rows.push((labels.range, locale.range(of.code.range()).to_owned()));
    rows.push((labels.defined_in, facts.reference.to_owned()));
    rows
}
