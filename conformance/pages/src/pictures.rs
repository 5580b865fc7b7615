//! Pictures of the pages, to be looked at.

use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::visit::{DESKTOP, PHONE, Visit};

/// Names and paths.
const PAGES: [(&str, &str); 8] = [
    ("home", "/en/"),
    ("1006", "/en/codes/1006"),
    ("1012", "/en/codes/1012"),
    ("compare-fr", "/fr/compare/1006-vs-1012"),
    ("compare-vi", "/vi/compare/1001-vs-1012"),
    ("compare-zh", "/zh-hans/compare/1005-vs-1012"),
    ("ar", "/ar/codes/1012"),
    ("causes", "/en/causes"),
];

/// Writes every page at both widths, and some in the dark.
pub(crate) async fn take(visit: &mut Visit<'_>, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    for (name, path) in PAGES {
        for (size, kind) in [(DESKTOP, "1280"), (PHONE, "360")] {
            visit.look(size, false).await?;
            visit.go(path).await?;
            prepare(visit, path).await?;
            write(visit, folder, &format!("{name}-{kind}.png")).await?;
            if matches!(name, "home" | "1006" | "1012") {
                visit.look(size, true).await?;
                write(visit, folder, &format!("{name}-{kind}-dark.png")).await?;
            }
        }
    }
    Ok(())
}

/// Has something happen that is worth a picture.
async fn prepare(visit: &mut Visit<'_>, path: &str) -> anyhow::Result<()> {
    if path.ends_with("/en/") {
        let enough = |count: u32| {
            format!("Number(document.querySelector('.answered dd').textContent) >= {count}")
        };
        for (act, count) in [("restart", 12), ("close", 40), ("cut", 60)] {
            visit.until(&enough(count)).await?;
            visit
                .evaluate(&format!(
                    "document.querySelector('[data-act={act}]').click()"
                ))
                .await?;
        }
        visit.until(&enough(72)).await?;
    } else if path.contains("/codes/") {
        visit
            .until("!document.querySelector('.ways').hidden")
            .await?;
        visit
            .evaluate("document.querySelector('.ways button').click()")
            .await?;
        visit
            .until("document.querySelector('.outcome').dataset.way")
            .await?;
    }
    Ok(())
}

async fn write(visit: &mut Visit<'_>, folder: &Path, name: &str) -> anyhow::Result<()> {
    let picture = visit.picture().await?;
    let path = folder.join(name);
    fs::write(&path, picture).with_context(|| format!("write {}", path.display()))
}
