//! `cargo xtask conform`: the suite for endings against revoir in both roles, and against three others.

mod browser;
mod pictures;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::abreast::{abreast, lock};
use crate::process::Running;
use crate::programs::Programs;
use crate::{peers, report, tools};
pub(crate) use browser::Browser;
pub(crate) use pictures::draw;

/// Installing included, beside whatever else the machine does.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// So many implementations are played at a time: while one waits for a bound of time, another has the processor.
const ABREAST: usize = 3;

/// Plays all cases but the slow: revoir in both roles, over TCP and TLS; `ws` and `websockets` in both roles; Chromium. Only what
/// is not in `expected.toml` of an adapter fails. The page of the results is `target/conform/report/index.html`.
pub(crate) fn run(programs: &Programs) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    let (node, python) = peers::install(deadline)?;
    let chromium = tools::find_chromium(deadline)?;
    let plays = Plays::new(programs.program("revoir"))?;
    let adapters = plays.copied(&node)?;
    let revoir = programs.program("revoir-adapter").display().to_string();
    let ws = format!("node {}", adapters.join("ws/adapter.mjs").display());
    let websockets = format!(
        "env PYTHONPATH={} {} {}",
        adapters.join("python").display(),
        python.display(),
        adapters.join("websockets/adapter.py").display(),
    );
    let adapter = |name, command: &str, role, tls| Played {
        name,
        role,
        tls,
        by: PlayedBy::Adapter(command.to_owned()),
    };
    // The longest first.
    let played = [
        Played {
            name: "chromium",
            role: "client",
            tls: false,
            by: PlayedBy::Browser(Browser::Chromium(chromium)),
        },
        adapter("websockets", &websockets, "client", false),
        adapter("revoir", &revoir, "client", true),
        adapter("revoir", &revoir, "server", true),
        adapter("websockets", &websockets, "server", false),
        adapter("ws", &ws, "server", false),
        adapter("ws", &ws, "client", false),
        adapter("revoir", &revoir, "client", false),
        adapter("revoir", &revoir, "server", false),
    ];
    let failures = Mutex::new(Vec::new());
    abreast(ABREAST, &played, |played| {
        if let Err(error) = plays.play(played, deadline) {
            lock(&failures).push(format!("{error:#}"));
        }
    });
    let failures = failures
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    if !failures.is_empty() {
        bail!("{}", failures.join("; "));
    }
    Ok(())
}

/// The folder of the report that [`run`] writes.
pub(crate) fn last_report() -> PathBuf {
    crate::root().join("target/conform/report")
}

/// One implementation on one side.
#[derive(Debug)]
struct Played {
    name: &'static str,
    role: &'static str,
    tls: bool,
    by: PlayedBy,
}

#[derive(Debug)]
enum PlayedBy {
    /// The command of an adapter.
    Adapter(String),
    Browser(Browser),
}

/// Where things lie.
#[derive(Debug)]
struct Plays {
    revoir: PathBuf,
    folder: PathBuf,
    report: PathBuf,
}

impl Plays {
    fn new(revoir: PathBuf) -> anyhow::Result<Self> {
        let folder = crate::root().join("target/conform");
        let report = last_report();
        tools::empty(&report)?;
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

    /// Plays the cases, and shows what came of them.
    fn play(&self, played: &Played, deadline: Instant) -> anyhow::Result<()> {
        let Played {
            name,
            role,
            tls,
            by,
        } = played;
        let tls = if *tls { " over TLS" } else { "" };
        let what = format!("{name} as a {role}{tls}");
        let log = self.folder.join(format!("{what}.log"));
        let output = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        let mut command = self.command(role, name);
        command.stdout(output);
        if played.tls {
            command.arg("--tls");
        }
        let status = match by {
            PlayedBy::Adapter(adapter) => {
                command.args(["--adapter", adapter]);
                Running::start(&mut command)?.status(deadline)
            }
            PlayedBy::Browser(browser) => {
                let (mut suite, _running) = browser.walk(&mut command, &self.folder)?;
                suite.status(deadline)
            }
        };
        let status = status.context(what.clone())?;
        let printed =
            fs::read_to_string(&log).with_context(|| format!("read {}", log.display()))?;
        report(printed.trim_end());
        if !status.success() {
            bail!("{what}: {status}");
        }
        Ok(())
    }

    fn command(&self, role: &str, name: &str) -> Command {
        let mut command = Command::new(&self.revoir);
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
}
