//! Browsers that walk through the cases by themselves.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

use crate::process::Running;
use crate::tools;

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

    /// Its build, as its program says it: what it tells servers is cut to `156.0.0.0`. None where there is nothing to ask.
    pub(crate) fn build(&self) -> anyhow::Result<Option<String>> {
        let (Self::Chromium(program) | Self::Firefox(program)) = self else {
            return Ok(None);
        };
        let asked = Command::new(program).arg("--version").output();
        let said = asked.with_context(|| format!("start {}", program.display()))?;
        let said = String::from_utf8_lossy(&said.stdout);
        Ok(said.lines().next().map(|line| line.trim().to_owned()))
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
