//! From `crates/revoir-codes/data` to the tables in `crates/revoir-codes/src/generated`.
//!
//! Read (`model`), check (`check`), write Rust (`emit`). Nothing is written when a check fails.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};

mod check;
mod diagnosis;
mod emit;
mod emit_diagnosis;
mod files;
mod model;
mod named;
mod observed;
mod stamp;

pub(crate) use stamp::stamp;

#[cfg(feature = "fit")]
pub(crate) use diagnosis::Shares;
pub(crate) use diagnosis::{Message, messages_by_hand};
pub(crate) use files::codes_crate;
#[cfg(feature = "fit")]
pub(crate) use model::{CauseFacts, code_range};
pub(crate) use model::{Data, Observed, Outcome, Seen};
pub(crate) use observed::{compared_keys, pairs};

/// Writes the generated tables.
pub(crate) fn generate() -> anyhow::Result<()> {
    for (path, text) in generated()? {
        fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
            crate::report(&format!("wrote {}", path.display()));
        }
    }
    Ok(())
}

/// Fails if the data is wrong or a generated table differs from what would be written.
pub(crate) fn check() -> anyhow::Result<()> {
    for (path, text) in generated()? {
        if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            bail!(
                "{} is out of date; run `cargo xtask data`",
                path.file_name().unwrap_or_default().display()
            );
        }
    }
    Ok(())
}

/// The files that belong into `src/generated`.
fn generated() -> anyhow::Result<Vec<(PathBuf, String)>> {
    let codes = codes_crate();
    let data = Data::read(&codes.join("data"))?;
    let problems = check::problems(&data);
    if !problems.is_empty() {
        bail!(
            "data: {} problems\n  {}",
            problems.len(),
            problems.join("\n  ")
        );
    }
    let folder = codes.join("src/generated");
    Ok(emit::files(&data)
        .into_iter()
        .map(|(name, text)| (folder.join(name), text))
        .collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn data_is_sound_and_the_generated_tables_are_fresh() {
        if let Err(error) = super::check() {
            panic!("{error:#}");
        }
    }
}
