//! `cargo xtask fixes`: the fixes that the pages offer to copy, run as they are shown.

use std::fmt::Write;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};

use crate::process::Running;
use crate::{peers, proxies, report, tools};

/// The whole run, installing included.
const LIMIT: Duration = Duration::from_secs(20 * 60);

const FIXES: &str = "crates/revoir-site/fixes";
const RECORD: &str = "crates/revoir-site/src/pages/fixes/record.rs";

/// Packages of Debian that the fixes in Go need, which `--write` installs.
const GO: [&str; 2] = ["golang-go", "golang-github-gorilla-websocket-dev"];

/// Where Debian has the sources of Go packages.
const GOPATH: &str = "/usr/share/gocode";

/// What the fixes run with.
struct Tools {
    node: PathBuf,
    python: PathBuf,
    chromium: PathBuf,
}

/// Runs every fix in a network namespace, where the ports that they show are free. `write`: those in Go too, and
/// writes down what was run with what.
pub(crate) fn run(write: bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    proxies::install(deadline)?;
    let (node, python) = peers::install(deadline)?;
    let chromium = tools::find_chromium(deadline)?;
    let all = Tools {
        node,
        python,
        chromium,
    };
    if write && !tools::runs(Command::new("go").arg("version")) {
        tools::apt_install(&GO, deadline).context("the fixes in Go need Go")?;
    }
    let lines = play(&all, write, deadline)?;
    let run: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("run\t"))
        .collect();
    report(&format!("{} fixes were run", run.len()));
    if write {
        let record = record(&run, &all)?;
        fs::write(crate::root().join(RECORD), record).with_context(|| format!("write {RECORD}"))?;
    }
    Ok(())
}

/// What the runner says, a line for each fix.
fn play(tools: &Tools, with_go: bool, deadline: Instant) -> anyhow::Result<Vec<String>> {
    let mut runner = Command::new("unshare");
    runner
        .args([
            "--net",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
            "-c",
        ])
        .arg("ip link set lo up; exec node conformance/fixes/run.mjs")
        .env("FIXES", crate::root().join(FIXES))
        .env("WS", &tools.node)
        .env("PYTHON", &tools.python)
        .env("CHROMIUM", &tools.chromium)
        .env("NGINX", tools::server("nginx"))
        .env("HAPROXY", tools::server("haproxy"))
        .env("GOPATH", GOPATH)
        .env("GO", if with_go { "go" } else { "" })
        .stdout(Stdio::piped())
        .current_dir(crate::root());
    let mut running = Running::start(&mut runner)?;
    let stdout = running.stdout().context("its stdout")?;
    // Beside the wait, which has a deadline.
    let lines = thread::spawn(move || {
        let lines = BufReader::new(stdout).lines();
        let told = lines.inspect(|line| line.iter().for_each(|line| report(line)));
        told.collect::<Result<Vec<_>, _>>()
    });
    running
        .succeed(deadline)
        .context("a fix does not do what it is for")?;
    let lines = lines.join().map_err(|_| anyhow!("the reader panicked"))?;
    lines.context("read what it says")
}

/// What was run with what, as Rust.
fn record(run: &[&str], tools: &Tools) -> anyhow::Result<String> {
    let mut text = "//! What each fix was run with, and the SHA-1 of the file. Written by `cargo xtask fixes --write`.\n\n\
         pub(super) const RUNS: &[(&str, &str, &str)] = &[\n"
        .to_owned();
    for path in run {
        let version = version(path, tools)?;
        let file = fs::read_to_string(crate::root().join(FIXES).join(path))?;
        writeln!(
            text,
            "    (\n        {path:?},\n        {version:?},\n        {:?},\n    ),",
            sha1(&file)
        )?;
    }
    text.push_str("];\n");
    Ok(text)
}

/// The programs and versions that a file is run with.
fn version(path: &str, tools: &Tools) -> anyhow::Result<String> {
    let end = path.rsplit(['.', '/']).next().unwrap_or_default();
    Ok(match end {
        "mjs" => {
            let package = fs::read_to_string(tools.node.join("node_modules/ws/package.json"))?;
            let package: serde_json::Value = serde_json::from_str(&package)?;
            let ws = package["version"].as_str().context("a version")?.to_owned();
            format!(
                "ws {ws}, Node.js {}",
                said(Command::new("node").arg("--version"))?
            )
        }
        "py" => {
            let version = "import websockets; print(websockets.__version__)";
            let websockets = said(Command::new(&tools.python).args(["-c", version]))?;
            let python = said(Command::new(&tools.python).arg("--version"))?;
            format!("websockets {websockets}, Python {python}")
        }
        "go" => {
            let show = ["-f", "${Version}", "--show", GO[1]];
            let gorilla = said(Command::new("dpkg-query").args(show))?;
            let go = said(Command::new("go").args(["env", "GOVERSION"]))?;
            format!(
                "gorilla/websocket {gorilla}, Go {}",
                go.trim_start_matches("go")
            )
        }
        "sh" => format!("curl {}", said(Command::new("curl").arg("--version"))?),
        "js" => format!(
            "Chromium {}",
            said(Command::new(&tools.chromium).arg("--version"))?
        ),
        "conf" => format!(
            "nginx {}",
            said(Command::new(tools::server("nginx")).arg("-v"))?
        ),
        "cfg" => format!(
            "HAProxy {}",
            said(Command::new(tools::server("haproxy")).arg("-v"))?
        ),
        _ => bail!("no program for {path}"),
    })
}

/// The version in what a program says, without what a distribution adds.
fn said(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().context("ask for a version")?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let words = text.split(|c: char| c.is_whitespace() || "/-+~v".contains(c));
    let mut versions = words.filter(|word| {
        let mut chars = word.chars();
        chars.next().is_some_and(|c| c.is_ascii_digit()) && word.contains('.')
            || word
                .strip_prefix("go")
                .is_some_and(|rest| rest.contains('.'))
    });
    let version = versions
        .next()
        .with_context(|| format!("no version in {text}"))?;
    Ok(version.to_owned())
}

fn sha1(text: &str) -> String {
    sha1_smol::Sha1::from(text).digest().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fix_is_as_it_was_run() {
        let record = fs::read_to_string(crate::root().join(RECORD)).unwrap();
        let texts: Vec<&str> = record.split('"').skip(1).step_by(2).collect();
        assert!(texts.len() >= 3 * 20);
        for run in texts.chunks(3) {
            let file = fs::read_to_string(crate::root().join(FIXES).join(run[0])).unwrap();
            assert_eq!(
                sha1(&file),
                run[2],
                "{} has changed: run `cargo xtask fixes --write`",
                run[0]
            );
        }
    }
}
