//! The lines of configuration that a fix consists of, per product.

use alloc::vec::Vec;

use crate::catalog::causes::CauseFacts;
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

/// The settings that fix a cause: those of the products that the evidence points at, or all of them
/// if it points at none that can be set.
#[must_use]
pub fn settings(cause: &CauseFacts, products: &[&str]) -> Vec<&'static Setting> {
    let of_topic = |of: &&Setting| cause.settings == Some(of.topic);
    let is_named = |of: &&Setting| products.contains(&of.product);
    let named: Vec<_> = SETTINGS.iter().filter(of_topic).filter(is_named).collect();
    if named.is_empty() {
        return SETTINGS.iter().filter(of_topic).collect();
    }
    named
}
