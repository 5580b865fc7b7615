//! The pages of `revoir serve` in a real browser: `cargo xtask browser`.
//!
//! They are read in every language, several widths and colours, with axe-core, in Chromium and Firefox; every
//! button of the lab has to end its connection as the page predicts; and the first page has to keep its
//! connection.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use revoir_conformance::{Chromium, Firefox, Serve, exit_code, report};

use crate::paths::Extent;
use crate::visit::Visit;

mod home;
mod lab;
mod no_scripts;
mod other_engine;
mod paths;
mod pictures;
mod reading;
mod visit;
mod widgets;

/// Where the pages say that they are published.
const BASE: &str = "https://codes.example/";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [program, firefox, revoir, axe, scratch, rest @ ..] = &arguments[..] else {
        bail!("run it by `cargo xtask browser`");
    };
    let (pictures, extent) = match rest {
        [] => (None, Extent::Kinds),
        [flag] if flag == Path::new("--all") => (None, Extent::All("/".to_owned())),
        [flag, language] if flag == Path::new("--all") => {
            (None, Extent::All(format!("/{}/", language.display())))
        }
        [flag, folder] if flag == Path::new("--screenshots") => (Some(folder), Extent::Kinds),
        _ => bail!("the options are --all, --all LANGUAGE and --screenshots DIR"),
    };
    let axe = std::fs::read_to_string(axe).with_context(|| format!("read {}", axe.display()))?;
    if scratch.exists() {
        std::fs::remove_dir_all(scratch)
            .with_context(|| format!("remove {}", scratch.display()))?;
    }
    // With an address of its own it has a site map, from which the pages are known.
    let server = Serve::start(revoir, &["--base-url".as_ref(), BASE.as_ref()]).await?;
    let origin = format!("http://{}", server.address());
    let mut chromium = Chromium::start(program, &scratch.join("chromium"), &[]).await?;
    report(&format!("{}, {origin}", chromium.version().await?));
    let mut visit = Visit::start(&mut chromium, &origin).await?;

    if let Some(folder) = pictures {
        return timed("pictures", pictures::take(&mut visit, folder)).await;
    }
    let paths = paths::of(&mut visit, &extent).await?;
    report(&format!("{} pages", paths.len()));
    let reading = reading::check(&mut visit, &axe, &paths, &extent);
    let (read, read_in_firefox, used) = tokio::try_join!(
        checked("reading", reading),
        in_firefox(firefox, scratch, &origin, &paths),
        used(program, scratch, &origin, &extent),
    )?;
    let failures = [read, read_in_firefox, used].concat();
    if !failures.is_empty() {
        bail!("not as it should be:\n  {}", failures.join("\n  "));
    }
    Ok(())
}

/// What goes wrong where somebody uses the pages, in a browser of its own: most of the time they wait.
async fn used(
    program: &Path,
    scratch: &Path,
    origin: &str,
    extent: &Extent,
) -> anyhow::Result<Vec<String>> {
    let mut failures = Vec::new();
    if *extent == Extent::Kinds {
        let mut chromium = Chromium::start(program, &scratch.join("used"), &[]).await?;
        let mut visit = Visit::start(&mut chromium, origin).await?;
        failures.extend(checked("home", home::check(&mut visit)).await?);
        failures.extend(checked("lab", lab::check(&mut visit)).await?);
        failures.extend(checked("widgets", widgets::check(&mut visit)).await?);
        failures.extend(checked("without scripts", no_scripts::check(&mut visit)).await?);
    }
    Ok(failures)
}

/// What goes wrong in Firefox.
async fn in_firefox(
    program: &Path,
    scratch: &Path,
    origin: &str,
    paths: &[String],
) -> anyhow::Result<Vec<String>> {
    let mut firefox = Firefox::start(program, &scratch.join("firefox")).await?;
    report(&firefox.version().await?);
    let read = other_engine::check(&mut firefox, origin, paths);
    let failures = checked("Firefox", read).await?;
    firefox.quit().await?;
    Ok(failures)
}

/// The same for a part that finds failures, which it says at once.
async fn checked(
    part: &str,
    done: impl Future<Output = anyhow::Result<Vec<String>>>,
) -> anyhow::Result<Vec<String>> {
    let failures = timed(part, done).await?;
    for failure in &failures {
        report(failure);
    }
    Ok(failures)
}

/// Says how long a part took.
async fn timed<T>(part: &str, done: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let begin = Instant::now();
    let result = done.await.with_context(|| part.to_owned())?;
    report(&format!("{part}: {:.0} s", begin.elapsed().as_secs_f64()));
    Ok(result)
}
