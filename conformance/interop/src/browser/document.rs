//! `docs/browser.md`: what Chromium tells a page of every ending, and our server.

use std::fs;
use std::path::Path;

use anyhow::Context;
use revoir::Ending;
use serde_json::Value;

use crate::case::{By, End};
use crate::facts::{Facts, of_ending};
use crate::play::Outcome;

/// The line that may differ: another version may do the same.
const VERSION: &str = "Measured with ";

const HEAD: &str = "\
# What a browser tells, and what it is told

`cargo xtask interop --write` writes this page, and `cargo xtask interop` checks it: a headless Chromium
connects to a server built with `revoir`, one of the two ends the connection, and both say what they
saw. `code`, `reason` and `wasClean` are those of the page's `CloseEvent`; *error* says whether an
`error` event came before it. *Our ending* is the code, cause and finish of the server's `Ending`.
";

const SERVER_ENDS: &str = "\
## The server ends the connection

Every Close frame up to 4999 had the reason `a reason`. What comes below it was written past the
library, which sends none of them. *Answer* is the Close frame that Chromium sent.

| the server sends | `code` | `reason` | `wasClean` | error | answer | our ending |
|---|---|---|---|---|---|---|
";

const PAGE_ENDS: &str = "\
## The page ends the connection

| the page calls | `code` | `reason` | `wasClean` | error | its Close frame | our ending |
|---|---|---|---|---|---|---|
";

const REFUSED: &str = "\
A page may close with 1000 and 3000 to 4999 only:

| the page calls | it gets |
|---|---|
";

const LEAVES: &str = "\
## The page goes away

A page that goes to the back/forward cache keeps its connection, and the server does not hear of it: pings
are answered as before. After ten minutes Chromium drops such a page, and then closes with 1001 (measured
once by hand; the run does not wait for it).

| what happens | its Close frame | our ending |
|---|---|---|
";

#[derive(Debug)]
pub(super) struct Document {
    version: String,
    server_ends: String,
    page_ends: String,
    refused: String,
    leaves: String,
}

impl Document {
    pub(super) fn new(version: &str) -> Self {
        Self {
            version: version.to_owned(),
            server_ends: String::new(),
            page_ends: String::new(),
            refused: String::new(),
            leaves: String::new(),
        }
    }

    pub(super) fn server_ends(&mut self, end: End, outcome: &Outcome) {
        let what = match end {
            End::Close { code, .. } | End::PastLibrary { code, .. } => format!("Close {code}"),
            End::Empty { .. } => "Close without a code".to_owned(),
            End::Fin { .. } => "TCP FIN".to_owned(),
            End::Reset { .. } => "TCP RST".to_owned(),
        };
        let row = both(&what, outcome);
        self.server_ends.push_str(&row);
    }

    pub(super) fn page_ends(&mut self, end: End, outcome: &Outcome) {
        let what = match end {
            End::Close {
                by: By::Peer,
                code,
                reason,
            } => match reason {
                "" => format!("`close({code})`"),
                reason => format!("`close({code}, '{reason}')`"),
            },
            _ => "`close()`".to_owned(),
        };
        self.page_ends.push_str(&both(&what, outcome));
    }

    pub(super) fn refused(&mut self, code: u16, error: &str) {
        let error = error.rsplit(": ").next().unwrap_or(error);
        self.refused
            .push_str(&format!("| `close({code})` | {error} |\n"));
    }

    pub(super) fn leaves(&mut self, what: &str, ending: &Ending) {
        let facts = of_ending(ending);
        let (frame, ours) = (received(&facts), ours(&facts));
        self.leaves
            .push_str(&format!("| {what} | {frame} | {ours} |\n"));
    }

    fn text(&self) -> String {
        let Self {
            version,
            server_ends,
            page_ends,
            refused,
            leaves,
        } = self;
        format!(
            "{HEAD}\n{VERSION}{version}.\n\n{SERVER_ENDS}{server_ends}\n{PAGE_ENDS}{page_ends}\n\
             {REFUSED}{refused}\n{LEAVES}{leaves}"
        )
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        fs::write(path, self.text()).with_context(|| format!("write {}", path.display()))
    }

    /// Every line that is not the one that `path` has, but for the version.
    pub(super) fn compare(&self, path: &Path) -> anyhow::Result<Vec<String>> {
        let old = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let text = self.text();
        let lines = |text: &str| -> Vec<String> {
            text.lines()
                .filter(|line| !line.starts_with(VERSION))
                .map(str::to_owned)
                .collect()
        };
        let (old, new) = (lines(&old), lines(&text));
        let mut found: Vec<String> = new
            .iter()
            .filter(|line| !old.contains(line))
            .map(|line| format!("docs/browser.md: now {line}"))
            .collect();
        if found.is_empty() && old != new {
            found.push("docs/browser.md: has lines too many or in another order".to_owned());
        }
        if !found.is_empty() {
            found.push("`cargo xtask interop --write` writes docs/browser.md".to_owned());
        }
        Ok(found)
    }
}

fn both(what: &str, outcome: &Outcome) -> String {
    let Outcome { ours: facts, peer } = outcome;
    let text = |field: &str| match peer.get(field) {
        None | Some(Value::Null) => "no".to_owned(),
        Some(Value::String(text)) => code(text),
        Some(other) => other.to_string(),
    };
    let error = if peer.get("error").is_some_and(Value::is_null) {
        "no"
    } else {
        "yes"
    };
    format!(
        "| {what} | {} | {} | {} | {error} | {} | {} |\n",
        text("code"),
        text("reason"),
        text("clean"),
        received(facts),
        ours(facts)
    )
}

/// The Close frame that Chromium sent.
fn received(facts: &Facts) -> String {
    if let Some(Value::Number(code)) = facts.get("refused_code") {
        return code.to_string();
    }
    let Some(Value::Object(frame)) = facts.get("received") else {
        return "none".to_owned();
    };
    let number = match frame.get("code") {
        None | Some(Value::Null) => "empty".to_owned(),
        Some(number) => number.to_string(),
    };
    match frame.get("reason").and_then(Value::as_str) {
        None | Some("") => number,
        Some(reason) => format!("{number} {}", code(reason)),
    }
}

fn ours(facts: &Facts) -> String {
    let text = |field: &str| match facts.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    format!("{}, {}, {}", text("code"), text("cause"), text("finish"))
}

/// As code, or nothing.
fn code(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("`{text}`")
    }
}
