//! `cargo xtask conform`: the suite for endings against revoir in both roles, and against three others.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::process::Running;
use crate::programs::Programs;
use crate::{interop, tools};

/// Installing included, beside whatever else the machine does.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Plays all cases but the slow: revoir in both roles, over TCP and TLS; `ws` and `websockets` in both roles; Chromium. Only what
/// is not in `expected.toml` of an adapter fails. The pages of results are `target/conform/own/index.html` and `others/index.html`.
pub(crate) fn run(programs: &Programs) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    let revoir = programs.program("revoir");
    let own_adapter = programs.program("revoir-adapter").display().to_string();
    let (_, node, python) = interop::install_peers(deadline)?;
    let chromium = tools::find_chromium(deadline)?;
    let (own, others) = (Plays::new(&revoir, "own")?, Plays::new(&revoir, "others")?);
    // They mostly wait, so one half runs beside the other.
    std::thread::scope(|scope| {
        let own = scope.spawn(|| own.own(&own_adapter, deadline));
        let others = others.others(&node, &python, &chromium, deadline);
        let own = own.join().unwrap_or_else(|_| bail!("a thread panicked"));
        match (own, others) {
            (Err(own), Err(others)) => bail!("{own:#}; and {others:#}"),
            (own, others) => own.and(others),
        }
    })
}

/// Where things lie.
struct Plays<'a> {
    revoir: &'a Path,
    folder: PathBuf,
    report: PathBuf,
}

impl<'a> Plays<'a> {
    fn new(revoir: &'a Path, report: &str) -> anyhow::Result<Self> {
        let folder = crate::root().join("target/conform");
        let report = folder.join(report);
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

    /// revoir in both roles.
    fn own(&self, adapter: &str, deadline: Instant) -> anyhow::Result<()> {
        for role in ["server", "client"] {
            self.adapter(role, "revoir", adapter, &[], deadline)?;
            self.adapter(role, "revoir", adapter, &["--tls"], deadline)?;
        }
        Ok(())
    }

    fn others(
        &self,
        node: &Path,
        python: &Path,
        chromium: &Path,
        deadline: Instant,
    ) -> anyhow::Result<()> {
        let adapters = self.copied(node)?;
        let ws = format!("node {}", adapters.join("ws/adapter.mjs").display());
        let websockets = format!(
            "env PYTHONPATH={} {} {}",
            adapters.join("python").display(),
            python.display(),
            adapters.join("websockets/adapter.py").display(),
        );
        for role in ["server", "client"] {
            self.adapter(role, "ws", &ws, &[], deadline)?;
            self.adapter(role, "websockets", &websockets, &[], deadline)?;
        }
        self.browser(chromium, deadline)
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
        let browser = Browser::Chromium(chromium.to_owned());
        let (mut suite, _running) = browser.walk(&mut command, &self.folder)?;
        let status = suite.status(deadline)?;
        if !status.success() {
            bail!("Chromium as a client: {status}");
        }
        Ok(())
    }
}

/// A browser, and its program.
#[derive(Clone, Debug)]
pub(crate) enum Browser {
    Chromium(PathBuf),
    Firefox(PathBuf),
    /// Its `MiniBrowser`, which needs a display.
    WebKitGtk(PathBuf),
}

impl Browser {
    /// Finds one by its name in `adapters.toml`.
    pub(crate) fn find(name: &str, deadline: Instant) -> anyhow::Result<Self> {
        match name {
            "chromium" => Ok(Self::Chromium(tools::find_chromium(deadline)?)),
            "firefox" => Ok(Self::Firefox(tools::find_firefox(deadline)?)),
            "webkitgtk" => Ok(Self::WebKitGtk(tools::find_mini_browser(deadline)?)),
            _ => bail!("no browser is called `{name}`"),
        }
    }

    /// Its version, where its name for servers has another one: WebKit's says the same for years.
    pub(crate) fn version(&self) -> anyhow::Result<Option<String>> {
        match self {
            Self::Chromium(_) | Self::Firefox(_) => Ok(None),
            Self::WebKitGtk(_) => tools::debian_version("webkit2gtk-driver").map(Some),
        }
    }

    /// Starts the suite, and a browser that nobody sees at the page that walks through the cases. All of them run.
    pub(crate) fn walk(
        &self,
        suite: &mut Command,
        folder: &Path,
    ) -> anyhow::Result<(Running, Vec<Running>)> {
        let mut suite = Running::start(suite.arg("127.0.0.1:0").stderr(Stdio::piped()))?;
        let stderr = suite.stderr().context("no stderr")?;
        let mut lines = BufReader::new(stderr).lines();
        let line = lines
            .next()
            .context("the suite does not say where it is")??;
        let url = line.split(' ').find(|word| word.starts_with("http://"));
        let Some(url) = url else {
            bail!("the suite does not say where it is: {line}");
        };
        // What it says later would fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let mut running = Vec::new();
        let mut browser = self.command(folder)?;
        if matches!(self, Self::WebKitGtk(_)) {
            let (display, number) = display()?;
            browser.env("DISPLAY", format!(":{number}"));
            running.push(display);
        }
        browser.arg(url).stdout(Stdio::null()).stderr(Stdio::null());
        // A browser goes before its display.
        running.insert(0, Running::start(&mut browser)?);
        Ok((suite, running))
    }

    fn command(&self, folder: &Path) -> anyhow::Result<Command> {
        const QUIET: [&str; 9] = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--remote-debugging-port=0",
        ];
        match self {
            Self::Chromium(program) => {
                let mut browser = Command::new(program);
                let profile = folder.join("chromium");
                browser
                    .args(QUIET)
                    .arg(format!("--user-data-dir={}", profile.display()));
                Ok(browser)
            }
            Self::Firefox(program) => {
                let profile = folder.join("firefox");
                fs::create_dir_all(&profile)
                    .with_context(|| format!("create {}", profile.display()))?;
                let mut browser = Command::new(program);
                browser
                    .args(["--headless", "--no-remote", "--profile"])
                    .arg(profile);
                Ok(browser)
            }
            Self::WebKitGtk(program) => Ok(Command::new(program)),
        }
    }
}

/// A display that nobody sees, and its number.
fn display() -> anyhow::Result<(Running, String)> {
    let mut display = Running::start(
        Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1024x768x24"])
            .args(["-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null()),
    )?;
    let mut number = String::new();
    let stdout = display.stdout().context("no stdout")?;
    BufReader::new(stdout).read_line(&mut number)?;
    match number.trim() {
        "" => bail!("`Xvfb` names no display"),
        number => Ok((display, number.to_owned())),
    }
}
