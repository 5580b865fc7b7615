//! `docs/browser.md`: what a server is told when a page goes away.

use std::fs;
use std::path::Path;

use anyhow::Context;
use revoir::{CloseCode, Ending};

/// The line that may differ: another version may do the same.
const VERSION: &str = "Measured with ";

const HEAD: &str = "\
# What a server is told when a page goes away

A headless Chromium has a connection to a server built with `revoir`, and its page goes away. `cargo xtask leaving` compares what
comes with this page, `cargo xtask leaving --write` writes it. *Our ending* is the code, cause and finish of the server's `Ending`.
What a page is told when the server ends the connection, what its `close()` sends, and which codes it may not send is measured
with the suite, for Chromium, Firefox and WebKitGTK: [matrix.md](matrix.md).
";

const LEAVES: &str = "\
A page that goes to the back/forward cache keeps its connection, and the server does not hear of it: pings
are answered as before. After ten minutes Chromium drops such a page, and then closes with 1001 (measured
once by hand; the run does not wait for it).

| what happens | its Close frame | our ending |
|---|---|---|
";

#[derive(Debug, Default)]
pub(crate) struct Document {
    version: String,
    rows: String,
}

impl Document {
    pub(crate) fn add(&mut self, version: &str, what: &str, ending: &Ending) {
        version.clone_into(&mut self.version);
        let frame = match &ending.received {
            None => "none".to_owned(),
            Some(frame) => match (
                frame.wire_code().map(CloseCode::get),
                frame.reason().as_str(),
            ) {
                (None, _) => "empty".to_owned(),
                (Some(code), "") => code.to_string(),
                (Some(code), reason) => format!("{code} `{reason}`"),
            },
        };
        let (code, cause, finish) = (ending.code().get(), ending.cause.id(), ending.finish.id());
        self.rows.push_str(&format!(
            "| {what} | {frame} | {code}, {cause}, {finish} |\n"
        ));
    }

    fn text(&self) -> String {
        let Self { version, rows } = self;
        format!("{HEAD}\n{VERSION}{version}.\n\n{LEAVES}{rows}")
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        fs::write(path, self.text()).with_context(|| format!("write {}", path.display()))
    }

    /// Every line that is not the one that `path` has, but for the version.
    pub(crate) fn compare(&self, path: &Path) -> anyhow::Result<Vec<String>> {
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
            found.push("`cargo xtask leaving --write` writes docs/browser.md".to_owned());
        }
        Ok(found)
    }
}
