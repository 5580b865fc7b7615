//! Real proxies in front of the gateway: whom it takes for the client.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use super::proxy::{Proxy, free_port, listen};
use crate::process::Running;
use crate::report;

/// Where the client of a case is: on the loopback, and not where the proxy is.
pub(super) const CLIENT: &str = "127.0.0.2";

/// nginx of Debian as a balancer of TCP.
pub(super) const STREAM_MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

/// For one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A proxy, and how it says for whom it connects.
struct InFrontCase {
    name: &'static str,
    proxy: Proxy,
    template: &'static str,
    /// What is filled in.
    words: [(&'static str, &'static str); 3],
    says: NamesClientBy,
}

#[derive(Clone, Copy, PartialEq)]
enum NamesClientBy {
    ProxyProtocol,
    ForwardedFor,
}

const fn haproxy(name: &'static str, server: &'static str) -> InFrontCase {
    InFrontCase {
        name,
        proxy: Proxy::HaProxy,
        template: "haproxy-front.cfg",
        words: [("@MODE@", "tcp"), ("@OPTION@", ""), ("@SERVER@", server)],
        says: NamesClientBy::ProxyProtocol,
    }
}

const fn nginx(name: &'static str, template: &'static str, says: NamesClientBy) -> InFrontCase {
    InFrontCase {
        name,
        proxy: Proxy::Nginx,
        template,
        words: [("@MODULE@", STREAM_MODULE), ("", ""), ("", "")],
        says,
    }
}

const CASES: [InFrontCase; 5] = [
    haproxy("HAProxy with send-proxy", "send-proxy check-send-proxy"),
    haproxy(
        "HAProxy with send-proxy-v2",
        "send-proxy-v2 check-send-proxy",
    ),
    nginx(
        "nginx with proxy_protocol on",
        "nginx-stream.conf",
        NamesClientBy::ProxyProtocol,
    ),
    nginx(
        "nginx with X-Forwarded-For",
        "nginx-front.conf",
        NamesClientBy::ForwardedFor,
    ),
    InFrontCase {
        name: "HAProxy with option forwardfor",
        proxy: Proxy::HaProxy,
        template: "haproxy-front.cfg",
        words: [
            ("@MODE@", "http"),
            ("@OPTION@", "option forwardfor"),
            ("@SERVER@", ""),
        ],
        says: NamesClientBy::ForwardedFor,
    },
];

/// Plays every case.
pub(super) fn run(revoir: &Path, folder: &Path, deadline: Instant) -> anyhow::Result<()> {
    for case in &CASES {
        case.play(revoir, folder, deadline)
            .with_context(|| case.name)?;
        report(&format!("{}: the client is {CLIENT}", case.name));
    }
    Ok(())
}

/// A gateway, and what it writes to its log.
struct Gateway {
    _process: Running,
    log: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl InFrontCase {
    fn play(&self, revoir: &Path, folder: &Path, deadline: Instant) -> anyhow::Result<()> {
        let (_echo, echo) = listen(revoir)?;
        let mut gateway = self.gateway(revoir, folder, (&echo, mirror()?), deadline)?;
        let front = self.start(folder, gateway.address, deadline)?;
        // What a client says of itself counts for nothing, on neither way.
        let head = "GET /mirror HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 6.6.6.6\r\n\
                    Connection: close\r\n\r\n";
        let seen = ask(front.1, head)?;
        let seen = seen.to_ascii_lowercase();
        let expected = match self.says {
            NamesClientBy::ProxyProtocol => format!("\r\nx-forwarded-for: {CLIENT}\r\n"),
            NamesClientBy::ForwardedFor => format!("{CLIENT}, 127.0.0.1\r\n"),
        };
        ensure!(
            seen.contains(&expected),
            "the backend got no {expected:?}: {seen}"
        );
        let logged = gateway.next("request")?;
        ensure!(
            logged["client_ip"] == CLIENT,
            "the log has another client: {logged}"
        );
        talk(revoir, front.1)?;
        let logged = gateway.next("connection")?;
        ensure!(
            logged["client_ip"] == "127.0.0.1",
            "the log has another client: {logged}"
        );
        // Past the proxy: nobody is taken for somebody else.
        if self.says == NamesClientBy::ProxyProtocol {
            let direct = ask(gateway.address, head)?;
            ensure!(
                direct.is_empty(),
                "without a PROXY header there is an answer: {direct}"
            );
        }
        Ok(())
    }

    /// A gateway that trusts proxies on 127.0.0.1.
    fn gateway(
        &self,
        revoir: &Path,
        folder: &Path,
        (echo, mirror): (&str, SocketAddr),
        deadline: Instant,
    ) -> anyhow::Result<Gateway> {
        let port = free_port()?;
        let trust = match self.says {
            NamesClientBy::ProxyProtocol => {
                "[proxy-protocol]\nfrom = [\"127.0.0.1\", \"127.0.0.2\"]"
            }
            NamesClientBy::ForwardedFor => "trusted-proxies = [\"127.0.0.1\"]",
        };
        let config = format!(
            "listen = [\"127.0.0.1:{port}\"]\n{trust}\n[admin]\nlisten = \"unix:front.sock\"\n\
             [[route]]\npath = \"/chat\"\nupstreams = [\"ws://{echo}\"]\n\
             [[route]]\npath = \"/mirror\"\nupstreams = [\"ws://{mirror}\"]\n"
        );
        let path = folder.join("front.toml");
        fs::write(&path, config).with_context(|| format!("write {}", path.display()))?;
        let mut command = Command::new(revoir);
        command
            .args(["serve", "--json", "--config"])
            .arg(&path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = Running::start(&mut command)?;
        let log = BufReader::new(process.stdout().context("no stdout")?);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        process.wait_until(deadline, || TcpStream::connect(address).is_ok())?;
        Ok(Gateway {
            _process: process,
            log,
            address,
        })
    }

    /// The proxy, once it reaches the gateway.
    fn start(
        &self,
        folder: &Path,
        gateway: SocketAddr,
        deadline: Instant,
    ) -> anyhow::Result<(Running, SocketAddr)> {
        let gateway = gateway.to_string();
        let mut words = vec![("@GATEWAY@", &*gateway)];
        words.extend(self.words.iter().filter(|(word, _)| !word.is_empty()));
        let started = self.proxy.start(self.template, &words, folder, deadline)?;
        // HAProxy has checked the gateway by now, and thinks well of it.
        thread::sleep(Duration::from_secs(1));
        Ok(started)
    }
}

impl Gateway {
    /// The next line of the log with this event that a client began.
    fn next(&mut self, event: &str) -> anyhow::Result<Value> {
        loop {
            let mut line = String::new();
            if self.log.read_line(&mut line).context("read the log")? == 0 {
                bail!("the gateway ended");
            }
            let entry: Value = serde_json::from_str(&line).context("read the log")?;
            if entry["event"] == event && entry["path"] != Value::Null {
                return Ok(entry);
            }
        }
    }
}

/// A WebSocket that says a word and is echoed.
pub(super) fn talk(revoir: &Path, front: SocketAddr) -> anyhow::Result<()> {
    let output = Command::new(revoir)
        .args(["connect", &format!("ws://{front}/chat")])
        .args(["--send", "word", "--no-reconnect"])
        .output()
        .context("start revoir")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && said.trim() == "word",
        "no echo: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// What comes back of a request from [`CLIENT`], up to the end.
pub(super) fn ask(to: SocketAddr, request: &str) -> anyhow::Result<String> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).context("a socket")?;
    let from: SocketAddr = format!("{CLIENT}:0").parse().context("an address")?;
    socket.bind(&from.into()).context("bind it")?;
    socket.connect(&to.into()).context("connect")?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).context("a limit")?;
    stream.write_all(request.as_bytes()).context("ask")?;
    let mut answer = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut answer);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A backend whose answer is the head of the request. It lives as long as this program.
fn mirror() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("bind a port")?;
    let address = listener.local_addr().context("its address")?;
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = String::new();
            let mut lines = BufReader::new(&stream);
            while lines.read_line(&mut head).is_ok_and(|count| count > 2) {}
            let answer = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{head}",
                head.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    Ok(address)
}
