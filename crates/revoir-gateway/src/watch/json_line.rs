//! JSON as lines.

use serde::Serialize;

/// A value as one line.
pub(crate) fn line(value: &impl Serialize) -> String {
    // Serializing plain structs with string keys into memory has no way to fail.
    let mut text = serde_json::to_string(value).unwrap_or_default();
    text.push('\n');
    text
}
