//! `cargo xtask proxies`: what `revoir diagnose` says of real proxies, and whom the gateway behind
//! them, and they behind the gateway, take for the client.

mod behind;
mod in_front;
mod proxy;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use proxy::{Proxy, listen};
use serde_json::Value;

use crate::process::Running;
use crate::programs::Programs;
use crate::{report, tools};

/// The whole run, installing included.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Where the recording stands in docs/diagnose.md.
const MARKS: [&str; 2] = ["<!-- recording -->\n", "<!-- end of recording -->"];

/// A proxy, what its configuration does wrong, and the cause that it is.
struct Misconfigured {
    name: &'static str,
    proxy: Proxy,
    /// The lines that pass the upgrade on, or do not.
    upgrade: &'static str,
    /// How long it stands silence.
    limit: &'static str,
    args: &'static [&'static str],
    cause: &'static str,
}

const NGINX_UPGRADES: &str =
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";";

const RECORDED: Misconfigured = Misconfigured {
    name: "nginx without the header Upgrade",
    proxy: Proxy::Nginx,
    upgrade: "",
    limit: "60s",
    args: &[],
    cause: "proxy-not-upgrading",
};

const CASES: [Misconfigured; 4] = [
    RECORDED,
    Misconfigured {
        name: "nginx with proxy_read_timeout 2s",
        proxy: Proxy::Nginx,
        upgrade: NGINX_UPGRADES,
        limit: "2s",
        args: &["--hold", "6s"],
        cause: "idle-proxy",
    },
    Misconfigured {
        name: "HAProxy without the header Upgrade",
        proxy: Proxy::HaProxy,
        upgrade: "http-request del-header Upgrade",
        limit: "60s",
        args: &[],
        cause: "proxy-not-upgrading",
    },
    Misconfigured {
        name: "HAProxy with timeout tunnel 2s",
        proxy: Proxy::HaProxy,
        upgrade: "",
        limit: "2s",
        args: &["--hold", "6s"],
        cause: "idle-proxy",
    },
];

/// Plays every case, those of `in_front` and `behind` too. `write` writes the recording.
pub(crate) fn run(programs: &Programs, write: bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    install(deadline)?;
    let folder = crate::root().join("target/proxies");
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    let revoir = programs.program("revoir");
    let mut wrong = Vec::new();
    for case in &CASES {
        let causes = case.play(&revoir, &folder, deadline)?;
        let first = causes.first().map_or("nothing", String::as_str);
        report(&format!("{}: {first}", case.name));
        if first != case.cause {
            wrong.push(format!("{}: {causes:?}, not {}", case.name, case.cause));
        }
    }
    if !wrong.is_empty() {
        bail!("another verdict than expected:\n  {}", wrong.join("\n  "));
    }
    in_front::run(&revoir, &folder, deadline)?;
    behind::run(&revoir, &folder, deadline)?;
    if write {
        record(&revoir, &folder, deadline)?;
    }
    Ok(())
}

/// Installs the proxies, where they are missing.
pub(crate) fn install(deadline: Instant) -> anyhow::Result<()> {
    for proxy in [Proxy::Nginx, Proxy::HaProxy] {
        if !proxy.is_there() {
            let name = proxy.program();
            tools::apt_install(&[name], deadline)
                .with_context(|| format!("the cases need {name}, and it does not run"))?;
        }
    }
    if !Path::new(in_front::STREAM_MODULE).exists() {
        tools::apt_install(&["libnginx-mod-stream"], deadline)
            .context("the cases need the stream module of nginx")?;
    }
    Ok(())
}

/// A backend, and a proxy before it.
struct Stage {
    _backend: Running,
    _proxy: Running,
    url: String,
}

impl Misconfigured {
    /// The causes that `diagnose` names, most likely first.
    fn play(&self, revoir: &Path, folder: &Path, deadline: Instant) -> anyhow::Result<Vec<String>> {
        let stage = self.stage(revoir, folder, deadline)?;
        let output = Command::new(revoir)
            .args(["diagnose", &stage.url, "--json"])
            .args(self.args)
            .output()
            .context("start revoir")?;
        let diagnosis: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        let causes = diagnosis["causes"].as_array().context("no causes")?;
        let ids = causes.iter().filter_map(|cause| cause["id"].as_str());
        Ok(ids.map(str::to_owned).collect())
    }

    fn stage(&self, revoir: &Path, folder: &Path, deadline: Instant) -> anyhow::Result<Stage> {
        let (backend, address) = listen(revoir)?;
        let words = [
            ("@BACKEND@", &*address),
            ("@UPGRADE@", self.upgrade),
            ("@LIMIT@", self.limit),
        ];
        let template = self.proxy.config();
        let (proxy, at) = self.proxy.start(template, &words, folder, deadline)?;
        Ok(Stage {
            _backend: backend,
            _proxy: proxy,
            url: format!("ws://{at}/chat"),
        })
    }
}

/// Writes a run as it looks on a terminal, progress and answer, into docs/diagnose.md.
fn record(revoir: &Path, folder: &Path, deadline: Instant) -> anyhow::Result<()> {
    let stage = RECORDED.stage(revoir, folder, deadline)?;
    let output = Command::new(revoir)
        .args(["diagnose", &stage.url])
        .output()
        .context("start revoir")?;
    let shown = format!(
        "```console\n$ revoir diagnose {}\n{}{}$ echo $?\n{}\n```\n",
        stage.url,
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout),
        output.status.code().context("it was killed")?
    );
    let page = crate::root().join("docs/diagnose.md");
    let text = fs::read_to_string(&page).context("read docs/diagnose.md")?;
    let (before, rest) = text.split_once(MARKS[0]).context("no place for it")?;
    let (_, after) = rest.split_once(MARKS[1]).context("no end of its place")?;
    let text = format!("{before}{}{shown}{}{after}", MARKS[0], MARKS[1]);
    fs::write(&page, text).context("write docs/diagnose.md")
}
