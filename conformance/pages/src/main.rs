//! The pages of `revoir serve` in a real browser: `cargo xtask browser`.
//!
//! They are read in several languages, widths and colours with axe-core; every button of the lab has
//! to end its connection as the page predicts; and the first page has to keep its connection.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use revoir_conformance::{Chromium, Serve, exit_code, report};

use crate::visit::Visit;

mod home;
mod lab;
mod pictures;
mod reading;
mod visit;
mod widgets;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [chromium, revoir, axe, scratch, rest @ ..] = &arguments[..] else {
        bail!("run it by `cargo xtask browser`");
    };
    let pictures = match rest {
        [] => None,
        [flag, folder] if flag == Path::new("--screenshots") => Some(folder),
        _ => bail!("the only option is --screenshots DIR"),
    };
    let axe = std::fs::read_to_string(axe).with_context(|| format!("read {}", axe.display()))?;
    if scratch.exists() {
        std::fs::remove_dir_all(scratch)
            .with_context(|| format!("remove {}", scratch.display()))?;
    }
    let server = Serve::start(revoir, &[]).await?;
    let origin = format!("http://{}", server.address());
    let mut chromium = Chromium::start(chromium, scratch, &[]).await?;
    report(&format!("{}, {origin}", chromium.version().await?));
    let mut visit = Visit::start(&mut chromium, &origin).await?;

    let mut failures = Vec::new();
    if let Some(folder) = pictures {
        timed("pictures", pictures::take(&mut visit, folder)).await?;
    }
    failures.extend(timed("home", home::check(&mut visit)).await?);
    failures.extend(timed("lab", lab::check(&mut visit)).await?);
    failures.extend(timed("widgets", widgets::check(&mut visit)).await?);
    failures.extend(timed("reading", reading::check(&mut visit, &axe)).await?);
    if !failures.is_empty() {
        bail!("not as it should be:\n  {}", failures.join("\n  "));
    }
    Ok(())
}

/// Says how long a part took.
async fn timed<T>(part: &str, done: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let begin = Instant::now();
    let result = done.await.with_context(|| part.to_owned())?;
    report(&format!("{part}: {:.0} s", begin.elapsed().as_secs_f64()));
    Ok(result)
}
