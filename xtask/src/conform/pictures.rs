//! Pictures of a report, drawn by Chromium.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::process::Running;
use crate::{report, tools};

/// Installing included.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// What is drawn of a page: the name of the file, its width and height, whether it is dark, and what the address ends in.
const VIEWS: [(&str, u32, u32, bool, &str); 4] = [
    ("light", 1600, 1000, false, ""),
    ("dark", 1600, 1000, true, ""),
    ("failing", 1600, 1000, false, "#failing"),
    ("narrow", 390, 844, false, ""),
];

/// Draws the report in `from`, a folder that `revoir conform --report` has written, into `to`: the whole page in
/// several widths and colours, and the cell named by `cell`, `CASE@RUN`, as far as it is wanted.
pub(crate) fn draw(from: &Path, to: &Path, cell: Option<&str>) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    let page = from.join("index.html");
    let page = fs::canonicalize(&page).with_context(|| format!("find {}", page.display()))?;
    fs::create_dir_all(to).with_context(|| format!("create {}", to.display()))?;
    let to = fs::canonicalize(to).with_context(|| format!("find {}", to.display()))?;
    let chromium = tools::find_chromium(deadline)?;
    let cell = cell.map(|cell| format!("#{cell}"));
    let cell = cell.iter().map(|cell| ("cell", 1600, 1000, false, &**cell));
    for (name, width, height, is_dark, hash) in VIEWS.into_iter().chain(cell) {
        let picture = to.join(format!("{name}.png"));
        let mut browser = Command::new(&chromium);
        browser
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
            ])
            .args(["--disable-dev-shm-usage", "--allow-file-access-from-files"])
            .arg(format!("--user-data-dir={}", to.join(".profile").display()))
            .arg(format!("--window-size={width},{height}"))
            // Scripts have run by then.
            .arg("--virtual-time-budget=5000")
            .arg(format!(
                "--blink-settings=preferredColorScheme={}",
                u8::from(!is_dark)
            ))
            .arg(format!("--screenshot={}", picture.display()))
            .arg(format!("file://{}{hash}", page.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Running::start(&mut browser)?.succeed(deadline)?;
        ensure!(picture.exists(), "Chromium drew no {}", picture.display());
        report(&format!("drew {}", picture.display()));
    }
    // Nothing of the browser stays beside the pictures.
    fs::remove_dir_all(to.join(".profile")).context("remove the profile")
}
