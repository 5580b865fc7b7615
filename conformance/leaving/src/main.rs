//! What a server is told when a page goes away, by a Chromium that does: `cargo xtask leaving`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use revoir_conformance::exit_code;

use crate::document::Document;

mod departure;
mod document;
mod site;

/// The page that says it.
const PAGE: &str = "../docs/browser.md";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [chromium, scratch, rest @ ..] = &arguments[..] else {
        bail!("run it by `cargo xtask leaving`");
    };
    let write = rest == [Path::new("--write")];
    if !rest.is_empty() && !write {
        bail!("the only option is --write");
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let mut document = Document::default();
    let mut failures = Vec::new();
    departure::all(chromium, scratch, &mut document, &mut failures).await?;
    if write {
        document.write(&page)?;
    } else {
        failures.extend(document.compare(&page)?);
    }
    if !failures.is_empty() {
        bail!("not as before:\n  {}", failures.join("\n  "));
    }
    Ok(())
}
