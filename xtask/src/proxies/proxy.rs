//! A proxy that runs with a template of `conformance/proxies`, and what it stands before.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context;
use serde_json::Value;

use crate::process::Running;
use crate::tools;

/// Which one.
#[derive(Clone, Copy)]
pub(super) enum Proxy {
    Nginx,
    HaProxy,
}

impl Proxy {
    pub(super) const fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::HaProxy => "haproxy",
        }
    }

    fn path(self) -> PathBuf {
        tools::server(self.program())
    }

    /// Runs it with the configuration at `path`.
    fn command(self, folder: &Path, path: &Path) -> Command {
        let mut command = Command::new(self.path());
        match self {
            Self::Nginx => command.arg("-p").arg(folder).arg("-c").arg(path),
            Self::HaProxy => command.arg("-db").arg("-f").arg(path),
        };
        command.stderr(Stdio::null());
        command
    }

    /// Starts it with a template of `conformance/proxies`, each of `words` in it replaced by its value.
    /// Returns where it listens, too.
    pub(super) fn start(
        self,
        template: &str,
        words: &[(&str, &str)],
        folder: &Path,
        deadline: Instant,
    ) -> anyhow::Result<(Running, SocketAddr)> {
        let source = crate::root().join("conformance/proxies").join(template);
        let source =
            fs::read_to_string(&source).with_context(|| format!("read {}", source.display()))?;
        let port = free_port()?;
        let config = source
            .replace("@FOLDER@", &folder.display().to_string())
            .replace("@PORT@", &port.to_string());
        let fill = |config: String, (word, value): &(&str, &str)| config.replace(word, value);
        let config = words.iter().fold(config, fill);
        let path = folder.join(template);
        fs::write(&path, config).with_context(|| format!("write {}", path.display()))?;
        let mut proxy = Running::start(&mut self.command(folder, &path))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        proxy.wait_until(deadline, || TcpStream::connect(address).is_ok())?;
        Ok((proxy, address))
    }

    pub(super) fn is_there(self) -> bool {
        tools::runs(Command::new(self.path()).arg("-v"))
    }

    pub(super) const fn config(self) -> &'static str {
        match self {
            Self::Nginx => "nginx.conf",
            Self::HaProxy => "haproxy.cfg",
        }
    }
}

/// A backend that echoes and never pings, and where it listens.
pub(super) fn listen(revoir: &Path) -> anyhow::Result<(Running, String)> {
    let mut command = Command::new(revoir);
    command
        .args(["listen", "127.0.0.1:0", "--echo", "--json"])
        .args(["--ping-interval", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut backend = Running::start(&mut command)?;
    let stdout = backend.stdout().context("no stdout")?;
    let mut lines = BufReader::new(stdout).lines();
    let first = lines.next().context("the backend said nothing")??;
    let listening: Value = serde_json::from_str(&first)?;
    let address = listening["addr"].as_str().context("no address")?.to_owned();
    // Its messages have to go somewhere.
    std::thread::spawn(move || lines.for_each(drop));
    Ok((backend, address))
}

pub(super) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("bind a port")?;
    Ok(listener.local_addr().context("its address")?.port())
}
