//! What a run writes: results, the page of all results, and a certificate while it lasts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use revoir_conform::{Report, Suite, report};

use crate::exit::Failure;

/// A folder for a certificate, which goes away with the run.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
}

impl Default for Scratch {
    fn default() -> Self {
        let name = format!(
            "revoir-conform-{}-{:x}",
            std::process::id(),
            fastrand::u64(..)
        );
        Self {
            folder: std::env::temp_dir().join(name),
        }
    }
}

impl Scratch {
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Mostly there is none.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(super) fn read(flag: &str, path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::Impossible {
        problem: format!("{flag}: cannot read {}: {error}", path.display()),
        hint: "use the path of a text file".to_owned(),
    })
}

pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    fs::write(path, content).map_err(|error| Failure::Impossible {
        problem: format!("cannot write {}: {error}", path.display()),
        hint: "use a file in an existing folder".to_owned(),
    })
}

/// Adds a run to a folder of results, and writes the page of all that are there. Returns the page. Other runs may do the same at
/// this moment.
pub(super) fn report(folder: &Path, suite: &Suite, run: &Report) -> Result<PathBuf, Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::Impossible {
        problem: format!("cannot make {}: {error}", folder.display()),
        hint: "use a folder that can be written".to_owned(),
    })?;
    let name = run.file_name();
    let json = serde_json::to_string_pretty(run).unwrap_or_default();
    // It is there as a whole, or not yet.
    let part = folder.join(format!("{name}.part"));
    write(&part, json.as_bytes())?;
    fs::rename(&part, folder.join(format!("{name}.json"))).map_err(|error| {
        Failure::Impossible {
            problem: format!("cannot rename {}: {error}", part.display()),
            hint: "use a folder that can be written".to_owned(),
        }
    })?;
    let page = folder.join("index.html");
    loop {
        let found = results(folder);
        let mut runs = Vec::new();
        for path in &found {
            let text = fs::read_to_string(path).unwrap_or_default();
            // Another file of the folder's owner.
            let Ok(run) = serde_json::from_str::<Report>(&text) else {
                continue;
            };
            let stem = path.file_stem().unwrap_or_default();
            let name = stem.to_string_lossy().into_owned();
            let script = folder.join(format!("{name}.js"));
            write(&script, report::script(&name, &run).as_bytes())?;
            runs.push((name, run));
        }
        write(&page, report::page(suite, &runs).as_bytes())?;
        // Whoever writes last has seen all: what came meanwhile may be on a page that this one has replaced.
        if results(folder) == found {
            return Ok(page);
        }
    }
}

/// The files that may be results, by name.
fn results(folder: &Path) -> BTreeSet<PathBuf> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = files.map(|file| file.path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect()
}
