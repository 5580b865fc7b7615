//! Real proxies behind the gateway: whom its PROXY headers name, and Unix sockets.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, ensure};

use super::in_front::{CLIENT, ask, talk};
use super::proxy::{Proxy, free_port, listen};
use crate::process::Running;
use crate::report;

/// A proxy, and its configuration.
struct BehindCase {
    proxy: Proxy,
    template: &'static str,
}

const CASES: [BehindCase; 2] = [
    BehindCase {
        proxy: Proxy::Nginx,
        template: "nginx-behind.conf",
    },
    BehindCase {
        proxy: Proxy::HaProxy,
        template: "haproxy-behind.cfg",
    },
];

/// Plays every case.
pub(super) fn run(revoir: &Path, folder: &Path, deadline: Instant) -> anyhow::Result<()> {
    for case in &CASES {
        let name = case.proxy.program();
        case.play(revoir, folder, deadline)
            .with_context(|| format!("{name} behind the gateway"))?;
        report(&format!(
            "{name} behind the gateway: the client is {CLIENT}"
        ));
    }
    Ok(())
}

impl BehindCase {
    fn play(&self, revoir: &Path, folder: &Path, deadline: Instant) -> anyhow::Result<()> {
        let (_echo, echo) = listen(revoir)?;
        let (_proxy, told) = self.start(folder, &echo, deadline)?;
        let (_gateway, gateway) = gateway(revoir, folder, told, deadline)?;
        let port = gateway.port();
        for (path, body) in [
            ("/v1", format!("client {CLIENT} to port {port}\n")),
            ("/v2", format!("client {CLIENT} to port {port}\n")),
            ("/unix", "host a.example\n".to_owned()),
        ] {
            let head =
                format!("GET {path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
            let answer = ask(gateway, &head)?;
            ensure!(answer.ends_with(&body), "{path}: no {body:?} in {answer}");
        }
        talk(revoir, gateway)
    }

    /// The proxy, and where it takes PROXY headers.
    fn start(
        &self,
        folder: &Path,
        echo: &str,
        deadline: Instant,
    ) -> anyhow::Result<(Running, SocketAddr)> {
        // nginx does not take the place of one that was killed.
        let _ = fs::remove_file(folder.join("behind.sock"));
        self.proxy
            .start(self.template, &[("@BACKEND@", echo)], folder, deadline)
    }
}

/// A gateway before `told`, and before the socket in `folder`.
fn gateway(
    revoir: &Path,
    folder: &Path,
    told: SocketAddr,
    deadline: Instant,
) -> anyhow::Result<(Running, SocketAddr)> {
    let port = free_port()?;
    let route = |path: &str, version: &str| {
        format!(
            "[[route]]\npath = \"{path}\"\nupstreams = [\"ws://{told}\"]\n\
             proxy-protocol = \"{version}\"\n"
        )
    };
    let config = format!(
        "listen = [\"127.0.0.1:{port}\"]\n[admin]\nlisten = \"unix:before.sock\"\n{}{}{}\
         [[route]]\npath = \"/unix\"\nupstreams = [\"unix:behind.sock\"]\n",
        route("/v1", "v1"),
        route("/v2", "v2"),
        route("/chat", "v2"),
    );
    let path = folder.join("behind.toml");
    fs::write(&path, config).with_context(|| format!("write {}", path.display()))?;
    let mut command = Command::new(revoir);
    command
        .args(["serve", "--access-log", "none", "--config"])
        .arg(&path)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut process = Running::start(&mut command)?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    process.wait_until(deadline, || TcpStream::connect(address).is_ok())?;
    Ok((process, address))
}
