//! [`Sight`]: what an [`Engine`] tells a page of each way to end, as it was measured.
//!
//! The data is `data/lab.json`. `cargo xtask js --write` writes it, and `cargo xtask js` fails where a browser
//! tells something else by now.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

static MEASURED: LazyLock<Measured> = LazyLock::new(|| {
    // A test reads it.
    serde_json::from_str(include_str!("../../data/lab.json")).unwrap_or_default()
});

/// What a page gets to see of an ending, apart from the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "(u16, bool, bool)")]
pub(crate) struct Sight {
    /// `CloseEvent.code`.
    pub(crate) code: u16,
    /// `CloseEvent.wasClean`.
    pub(crate) clean: bool,
    /// Whether an `error` event came first.
    pub(crate) error: bool,
}

impl From<(u16, bool, bool)> for Sight {
    fn from((code, clean, error): (u16, bool, bool)) -> Self {
        Self { code, clean, error }
    }
}

/// What runs a page, and was measured.
#[derive(Debug, Deserialize)]
pub(crate) struct Engine {
    /// Its word in data, and in attributes of pages.
    pub(crate) id: String,
    name: String,
    version: String,
}

impl Engine {
    /// All that were measured; the first stands for those that were not.
    pub(crate) fn all() -> &'static [Self] {
        &MEASURED.engines
    }

    /// Its name, with as much of the version as people know.
    pub(crate) fn title(&self) -> String {
        // WebKitGTK has had a 2 in front for ten years.
        let parts = if self.id == "webkitgtk" { 2 } else { 1 };
        let version: Vec<&str> = self.version.split('.').take(parts).collect();
        format!("{} {}", self.name, version.join("."))
    }

    /// What it tells of the way with this word.
    pub(super) fn sight(&self, way: &str) -> Option<Sight> {
        MEASURED.ways.get(way)?.get(&self.id).copied()
    }
}

#[derive(Debug, Default, Deserialize)]
struct Measured {
    engines: Vec<Engine>,
    /// By the word of a way, then by engine.
    ways: HashMap<String, HashMap<String, Sight>>,
}
