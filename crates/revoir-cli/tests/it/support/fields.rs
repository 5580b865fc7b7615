//! Fields of JSON objects, as documented and as printed.

use std::collections::BTreeSet;

use serde_json::Value;

/// The fields in the table below `<!-- fields: name -->`.
pub(crate) fn documented(name: &str) -> BTreeSet<String> {
    let page = include_str!("../../../docs/json.md");
    let (_, section) = page
        .split_once(&format!("<!-- fields: {name} -->\n"))
        .unwrap();
    let rows = section
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).unwrap().to_owned())
        .collect()
}

/// The fields of an object.
pub(crate) fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}
