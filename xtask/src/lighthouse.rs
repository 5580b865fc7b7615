//! `cargo xtask lighthouse`: what Lighthouse says of the pages, before a release.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::process::Running;
use crate::programs::Programs;
use crate::{report, tools};

/// The whole run, installing included.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// Where the pages say that they are published.
const BASE: &str = "https://codes.example/";

/// The languages that are complete.
const LANGUAGES: [&str; 4] = ["en", "zh-hans", "vi", "fr"];
/// The first page, a code and a comparison.
const PAGES: [&str; 3] = ["", "codes/1006", "compare/1006-vs-1012"];

const CATEGORIES: [&str; 2] = ["accessibility", "seo"];

/// Installs it under `target/lighthouse`, and has it judge pages of `revoir serve`. Fails below 100.
pub(crate) fn run(programs: &Programs) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    let folder = crate::root().join("target/lighthouse");
    let pins = crate::root().join("conformance/pages/lighthouse");
    tools::install_npm(&pins, &folder, deadline)?;
    let chromium = tools::find_chromium(deadline)?;
    tools::find_fonts(deadline)?;

    let mut serve = Command::new(programs.program("revoir"));
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--base-url", BASE])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut serve = Running::start(&mut serve)?;
    let stderr = serve.stderr().context("its stderr")?;
    let mut lines = BufReader::new(stderr).lines();
    let line = lines.next().context("it says nothing")??;
    let origin = line.find("http://").map(|start| &line[start..]);
    let origin = origin
        .with_context(|| format!("it says: {line}"))?
        .trim_end();

    let mut below = Vec::new();
    let pages = LANGUAGES
        .iter()
        .flat_map(|language| PAGES.map(|page| format!("{language}/{page}")));
    for page in pages {
        let path = folder.join("report.json");
        let mut judge = Command::new("node");
        judge
            .arg(folder.join("node_modules/lighthouse/cli/index.js"))
            .arg(format!("{origin}{page}"))
            .args(["--quiet", "--output=json"])
            .arg(format!("--output-path={}", path.display()))
            .arg(format!("--only-categories={}", CATEGORIES.join(",")))
            .arg("--chrome-flags=--headless --no-sandbox --disable-dev-shm-usage")
            .env("CHROME_PATH", &chromium);
        Running::start(&mut judge)?.succeed(deadline)?;
        let text = fs::read_to_string(&path).context("read its report")?;
        let judged: Value = serde_json::from_str(&text)?;
        for category in CATEGORIES {
            let score = judged["categories"][category]["score"].as_f64();
            report(&format!(
                "{page}: {category} {:.0}",
                score.unwrap_or_default() * 100.0
            ));
            if score != Some(1.0) {
                below.push(format!(
                    "{page}: {category}: {}",
                    failed(&judged).join(", ")
                ));
            }
        }
    }
    if !below.is_empty() {
        bail!("below 100:\n  {}", below.join("\n  "));
    }
    Ok(())
}

/// The audits that did not pass.
fn failed(judged: &Value) -> Vec<String> {
    let audits = judged["audits"].as_object().into_iter().flatten();
    audits
        .filter(|(_, audit)| audit["score"].as_f64().is_some_and(|score| score < 1.0))
        .map(|(name, audit)| format!("{name} ({})", audit["title"].as_str().unwrap_or_default()))
        .collect()
}
