//! The lines of configuration that a fix consists of, per product.

use alloc::vec::Vec;

use super::timers::{TimerKind, timers};
use crate::catalog::causes::CauseFacts;
use crate::catalog::intermediaries::intermediaries;
use crate::catalog::source::Source;
use crate::generated::diagnosis::SETTINGS;

/// What to write into the configuration of a product.
#[derive(Debug)]
#[non_exhaustive]
pub struct Setting {
    /// The product: an intermediary, a library, a platform.
    pub product: &'static str,
    /// What it changes: `idle`, `lifetime`, `upgrade`, `drain`, `heartbeat`, `size`.
    pub topic: &'static str,
    /// Where the lines belong, in the product's own words.
    pub at: &'static str,
    /// The lines.
    pub lines: &'static [&'static str],
    /// Where this was read.
    pub source: Source,
}

/// The settings that fix a cause: those of the products that the evidence points at. If it points at
/// none, all of them; and also where what can be set is not only intermediaries, because then the
/// product that matters may be one that does not show.
#[must_use]
pub fn settings(cause: &CauseFacts, products: &[&str]) -> Vec<&'static Setting> {
    let of_topic = |of: &&Setting| cause.settings == Some(of.topic);
    let all: Vec<_> = SETTINGS.iter().filter(of_topic).collect();
    let is_named = |of: &&'static Setting| products.contains(&of.product);
    let named: Vec<_> = all.iter().copied().filter(is_named).collect();
    let shows = |of: &&Setting| {
        let ends_silence = timers()
            .iter()
            .filter(|timer| timer.kind == TimerKind::Idle);
        let names = intermediaries().iter().map(|one| one.name);
        let mut names = names.chain(ends_silence.map(|timer| timer.name));
        names.any(|name| name == of.product)
    };
    if named.is_empty() && (products.is_empty() || !all.iter().all(shows)) {
        return all;
    }
    named
}
