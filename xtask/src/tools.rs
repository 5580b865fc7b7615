//! Programs that steps need beside Rust: found, or installed where that is possible.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::time::Instant;

use anyhow::{Context, bail};

use crate::process::Running;
use crate::report;

/// Fills `folder` with the packages of `pins`, at the versions and hashes of its lock file.
pub(crate) fn install_npm(pins: &Path, folder: &Path, deadline: Instant) -> anyhow::Result<()> {
    for program in ["node", "npm"] {
        if !runs(Command::new(program).arg("--version")) {
            apt_install(&["nodejs", "npm"], deadline)
                .with_context(|| format!("this needs Node.js, and `{program}` does not run"))?;
        }
    }
    let lock = "package-lock.json";
    install(folder, &pins.join(lock), |folder| {
        fs::create_dir_all(folder)?;
        for file in ["package.json", lock, ".npmrc"] {
            fs::copy(pins.join(file), folder.join(file)).with_context(|| format!("copy {file}"))?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(folder);
        Running::start(&mut npm)?.succeed(deadline)
    })
}

/// Copies a folder and all in it. A link that leads nowhere is left out.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> anyhow::Result<()> {
    copy_wanted(from, to, &Path::exists)
}

/// Copies what is in `from` and `is_wanted`, folders with all that is in them. A file that is the same stays as it is,
/// so that nothing counts as newer than what was built of it.
pub(crate) fn copy_wanted(
    from: &Path,
    to: &Path,
    is_wanted: &dyn Fn(&Path) -> bool,
) -> anyhow::Result<()> {
    fs::create_dir_all(to).with_context(|| format!("create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let from = entry?.path();
        let to = to.join(from.file_name().unwrap_or_default());
        if !is_wanted(&from) {
            continue;
        }
        if from.is_dir() {
            copy_wanted(&from, &to, is_wanted)?;
        } else if fs::read(&from)? != fs::read(&to).unwrap_or_default() {
            fs::copy(&from, &to).with_context(|| format!("copy {}", from.display()))?;
        }
    }
    Ok(())
}

/// Makes `link` a symbolic link to `target`, whatever link was there.
pub(crate) fn link(target: &Path, link: &Path) -> anyhow::Result<()> {
    // Gone at the first run.
    let _ = fs::remove_file(link);
    std::os::unix::fs::symlink(target, link).with_context(|| format!("link {}", link.display()))
}

/// Fills `folder`, unless it was filled from the same `pins` before.
pub(crate) fn install(
    folder: &Path,
    pins: &Path,
    fill: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let wanted = fs::read_to_string(pins).with_context(|| format!("read {}", pins.display()))?;
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    report(&format!("installing into {}", folder.display()));
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("remove {}", folder.display()))?;
    }
    fill(folder).with_context(|| format!("install into {}", folder.display()))?;
    fs::write(&stamp, wanted).with_context(|| format!("write {}", stamp.display()))
}

/// Makes `folder` an empty one.
pub(crate) fn empty(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))
}

/// Chromium by one of its names, installed if there is none and that is possible.
pub(crate) fn find_chromium(deadline: Instant) -> anyhow::Result<PathBuf> {
    const NAMES: [&str; 4] = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    find("Chromium", &NAMES, "chromium", deadline)
}

/// Firefox, installed if there is none and that is possible.
pub(crate) fn find_firefox(deadline: Instant) -> anyhow::Result<PathBuf> {
    find(
        "Firefox",
        &["firefox-esr", "firefox"],
        "firefox-esr",
        deadline,
    )
}

/// Fonts for every script that the pages are written in, installed if one is missing and that is possible. Without them a
/// browser draws boxes, whose widths say nothing.
pub(crate) fn find_fonts(deadline: Instant) -> anyhow::Result<()> {
    const LANGUAGES: [&str; 6] = ["zh-cn", "ja", "ko", "ar", "hi", "th"];
    let missing = || {
        LANGUAGES.iter().find(|language| {
            let mut list = Command::new("fc-list");
            let listed = list.arg(format!(":lang={language}")).output();
            !listed.is_ok_and(|listed| !listed.stdout.is_empty())
        })
    };
    let Some(language) = missing() else {
        return Ok(());
    };
    let packages = ["fontconfig", "fonts-noto-core", "fonts-noto-cjk"];
    apt_install(&packages, deadline)
        .with_context(|| format!("this needs a font for `{language}`, and there is none"))?;
    match missing() {
        None => Ok(()),
        Some(language) => bail!("fonts were installed, and there is none for `{language}`"),
    }
}

/// The driver of WebKitGTK and a display for it, installed if there is none and that is possible.
pub(crate) fn find_webkit(deadline: Instant) -> anyhow::Result<PathBuf> {
    find("a display", &["xvfb-run"], "xvfb xauth", deadline)?;
    find(
        "WebKitGTK",
        &["WebKitWebDriver"],
        "webkit2gtk-driver",
        deadline,
    )
}

/// The browser of WebKitGTK for tests, which is in the package of its library.
pub(crate) fn find_mini_browser(deadline: Instant) -> anyhow::Result<PathBuf> {
    find_webkit(deadline)?;
    let owned = dpkg_query(&["-S", "*/webkit2gtk-4*/MiniBrowser"])?;
    let path = owned
        .lines()
        .find_map(|line| line.rsplit_once(": ").map(|(_, path)| PathBuf::from(path)));
    path.context("webkit2gtk-driver is installed, and there is no MiniBrowser")
}

/// The version of what is in a package of Debian: without what Debian numbers itself.
pub(crate) fn debian_version(package: &str) -> anyhow::Result<String> {
    let version = dpkg_query(&["-W", "-f", "${Version}", package])?;
    let upstream = version.rsplit_once('-').map(|(upstream, _)| upstream);
    Ok(upstream.unwrap_or(&version).to_owned())
}

/// What Debian knows of its packages.
pub(crate) fn dpkg_query(args: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("dpkg-query")
        .args(args)
        .output()
        .context("start `dpkg-query`")?;
    if !output.status.success() {
        bail!("`dpkg-query {}`: {}", args.join(" "), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program by the first of its names that runs; `packages` are those of Debian that it needs.
fn find(what: &str, names: &[&str], packages: &str, deadline: Instant) -> anyhow::Result<PathBuf> {
    let found = || {
        names
            .iter()
            .find(|name| runs(Command::new(name).arg("--help")))
            .map(PathBuf::from)
    };
    if let Some(program) = found() {
        return Ok(program);
    }
    let packages: Vec<&str> = packages.split(' ').collect();
    apt_install(&packages, deadline)
        .with_context(|| format!("this needs {what}, and there is none"))?;
    found().with_context(|| format!("{what} was installed and does not run"))
}

/// Installs packages of Debian, where that is possible.
pub(crate) fn apt_install(packages: &[&str], deadline: Instant) -> anyhow::Result<()> {
    let packages_text = packages.join(" ");
    let user = Command::new("id")
        .arg("-u")
        .output()
        .context("start `id`")?;
    let is_root = user.stdout.trim_ascii() == b"0";
    if !is_root || !runs(Command::new("apt-get").arg("--version")) {
        bail!("install it, on Debian by `apt-get install {packages_text}`");
    }
    report(&format!("installing {packages_text}"));
    static UPDATE: Once = Once::new();
    let mut updated = Ok(());
    UPDATE.call_once(|| {
        let mut update = Command::new("apt-get");
        update.args(["update", "-qq"]);
        updated = Running::start(&mut update).and_then(|running| running.succeed(deadline));
    });
    updated?;
    let mut install = Command::new("apt-get");
    install
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        // Somebody else may be installing.
        .args(["-o", "DPkg::Lock::Timeout=600"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive");
    Running::start(&mut install)?.succeed(deadline)
}

/// The path of a server: Debian has those where only root's shell looks.
pub(crate) fn server(name: &str) -> PathBuf {
    let there = Path::new("/usr/sbin").join(name);
    if there.exists() { there } else { name.into() }
}

/// Whether the command is there and succeeds. What it prints is not shown.
pub(crate) fn runs(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
