//! Where the workspace is, its pages, and the two ways in which xtask talks.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    // The package is a folder of the workspace, so it has a parent.
    own.parent().map_or_else(|| own.clone(), PathBuf::from)
}

/// Writes a page of `docs`.
pub(crate) fn write_page(name: &str, head: &str, text: &[u8]) -> anyhow::Result<()> {
    let page = root().join(name);
    let text = [head.as_bytes(), text.trim_ascii(), b"\n"].concat();
    fs::write(&page, text).with_context(|| format!("write {}", page.display()))?;
    report(&format!("written: {}", page.display()));
    Ok(())
}

/// What happens, for whoever watches.
#[expect(clippy::print_stderr, reason = "the one place where xtask talks")]
pub(crate) fn report(text: &str) {
    eprintln!("{text}");
}

/// An answer that may go into a pipe.
#[expect(clippy::print_stdout, reason = "tables are for pipes")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}
