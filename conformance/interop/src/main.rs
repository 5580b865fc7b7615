//! revoir against `ws`, `websockets` and Chromium: `cargo xtask interop`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use revoir_conformance::exit_code;

use crate::expectations::Expectations;

mod browser;
mod case;
mod expectations;
mod facts;
mod peer;
mod play;
mod suite;
mod table;
mod talk;
mod tap;

/// What `cargo xtask interop` has installed, and where files may be written.
#[derive(Debug)]
struct Places {
    /// The folder of the cases.
    own: PathBuf,
    /// The folder with `ws` in its `node_modules`.
    node: PathBuf,
    /// A Python that has `websockets`.
    python: PathBuf,
    chromium: PathBuf,
    scratch: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [node, python, chromium, scratch, rest @ ..] = &arguments[..] else {
        bail!("run it by `cargo xtask interop`");
    };
    let write = rest == [Path::new("--write")];
    if !rest.is_empty() && !write {
        bail!("the only option is --write");
    }
    let places = Places {
        own: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("interop"),
        node: node.clone(),
        python: python.clone(),
        chromium: chromium.clone(),
        scratch: scratch.clone(),
    };
    let mut expectations = Expectations::read(&places.own.join("expectations.toml"))?;
    let mut failures = suite::run(&places, &mut expectations).await?;
    match browser::run(&places, &mut expectations, write).await {
        Ok(found) => failures.extend(found),
        Err(error) => failures.push(format!("Chromium: {error:#}")),
    }
    failures.extend(expectations.left_over());
    if !failures.is_empty() {
        bail!(
            "not as the cases and conformance/interop/expectations.toml say:\n  {}",
            failures.join("\n  ")
        );
    }
    Ok(())
}
