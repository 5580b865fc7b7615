//! `cargo xtask conform`: the suite for endings against revoir in both roles, and against three others.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::process::Running;
use crate::programs::Programs;
use crate::{interop, report, tools};

/// Installing included.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Plays all cases but the slow: revoir in both roles, over TCP and TLS; `ws` and `websockets` in both roles; Chromium. Only what
/// is not in `expected.toml` of an adapter fails. The page of all results is `target/conform/report/index.html`.
pub(crate) fn run(programs: &Programs) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    let revoir = programs.program("revoir");
    let suite = Plays::new(&revoir)?;
    let own = programs.program("revoir-adapter").display().to_string();
    for role in ["server", "client"] {
        suite.adapter(role, "revoir", &own, &[], deadline)?;
        suite.adapter(role, "revoir", &own, &["--tls"], deadline)?;
    }
    let (_, node, python) = interop::install_peers(deadline)?;
    let adapters = suite.copied(&node)?;
    let ws = format!("node {}", adapters.join("ws/adapter.mjs").display());
    let websockets = format!(
        "env PYTHONPATH={} {} {}",
        adapters.join("python").display(),
        python.display(),
        adapters.join("websockets/adapter.py").display(),
    );
    for role in ["server", "client"] {
        suite.adapter(role, "ws", &ws, &[], deadline)?;
        suite.adapter(role, "websockets", &websockets, &[], deadline)?;
    }
    suite.browser(&tools::find_chromium(deadline)?, deadline)?;
    report(&format!(
        "   results: {}",
        suite.report.join("index.html").display()
    ));
    Ok(())
}

/// Where things lie.
struct Plays<'a> {
    revoir: &'a Path,
    folder: PathBuf,
    report: PathBuf,
}

impl<'a> Plays<'a> {
    fn new(revoir: &'a Path) -> anyhow::Result<Self> {
        let folder = crate::root().join("target/conform");
        let report = folder.join("report");
        if report.exists() {
            fs::remove_dir_all(&report).with_context(|| format!("remove {}", report.display()))?;
        }
        fs::create_dir_all(&report).with_context(|| format!("create {}", report.display()))?;
        Ok(Self {
            revoir,
            folder,
            report,
        })
    }

    /// The adapters beside their packages: Node looks for those in the folders above a module.
    fn copied(&self, node: &Path) -> anyhow::Result<PathBuf> {
        let adapters = self.folder.join("adapters");
        for name in ["js", "python", "ws", "websockets"] {
            let from = crate::root().join("conformance/adapters").join(name);
            tools::copy_tree(&from, &adapters.join(name))?;
        }
        tools::link(
            &node.join("node_modules"),
            &self.folder.join("node_modules"),
        )?;
        Ok(adapters)
    }

    fn command(&self, role: &str, name: &str) -> Command {
        let mut command = Command::new(self.revoir);
        command
            .args(["conform", role, "--report"])
            .arg(&self.report);
        let expected = crate::root()
            .join("conformance/adapters")
            .join(name)
            .join("expected.toml");
        if expected.exists() {
            command.arg("--expect").arg(expected);
        }
        command.current_dir(crate::root());
        command
    }

    fn adapter(
        &self,
        role: &str,
        name: &str,
        adapter: &str,
        options: &[&str],
        deadline: Instant,
    ) -> anyhow::Result<()> {
        let mut command = self.command(role, name);
        command.args(["--adapter", adapter]).args(options);
        let running = Running::start(&mut command)?;
        running
            .succeed(deadline)
            .with_context(|| format!("{name} as a {role} {options:?}"))
    }

    /// A headless Chromium that walks through the cases.
    fn browser(&self, chromium: &Path, deadline: Instant) -> anyhow::Result<()> {
        let mut command = self.command("client", "chromium");
        let mut suite = Running::start(command.arg("127.0.0.1:0").stderr(Stdio::piped()))?;
        let mut lines = BufReader::new(suite.stderr().context("no stderr")?).lines();
        let line = lines
            .next()
            .context("the suite does not say where it is")??;
        let url = line.split(' ').find(|word| word.starts_with("http://"));
        let Some(url) = url else {
            bail!("the suite does not say where it is: {line}");
        };
        let profile = self.folder.join("chromium");
        let mut browser = Command::new(chromium);
        browser
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-dev-shm-usage",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("--remote-debugging-port=0")
            .arg(url)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let _browser = Running::start(&mut browser)?;
        let status = suite.status(deadline)?;
        if !status.success() {
            bail!("Chromium as a client: {status}");
        }
        Ok(())
    }
}
