//! The relays that are compared, and how they are configured.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use revoir_echo::load::Load;

use crate::process::Program;

/// What the relay is called that knows nothing of WebSocket.
pub(crate) const BARE: &str = "bare";

/// What ours is called.
pub(crate) const OURS: &str = "revoir";

/// What ours is called when it is measured a second time, to show the noise.
pub(crate) const AGAIN: &str = "revoir again";

/// What ours is called where an adapter looks at every message.
pub(crate) const ADAPTER: &str = "revoir, adapter";

/// What ours is called with everything on that an operator may turn on.
pub(crate) const ALL_ON: &str = "revoir, all on";

/// A relay that is compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relay {
    /// What it is called in tables.
    pub(crate) name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Bare,
    Revoir,
    /// With every limit, both logs, the admin interface and metrics.
    AllOn,
    /// With an adapter.
    Adapter,
    /// With buffers of so many KiB, or of its default size.
    Nginx(Option<u32>),
    /// The same.
    HaProxy(Option<u32>),
}

/// All relays, in the order of the tables.
pub(crate) const RELAYS: &[Relay] = &[
    Relay {
        name: BARE,
        kind: Kind::Bare,
    },
    Relay {
        name: OURS,
        kind: Kind::Revoir,
    },
    Relay {
        name: AGAIN,
        kind: Kind::Revoir,
    },
    Relay {
        name: ALL_ON,
        kind: Kind::AllOn,
    },
    Relay {
        name: ADAPTER,
        kind: Kind::Adapter,
    },
    Relay {
        name: "nginx",
        kind: Kind::Nginx(None),
    },
    Relay {
        name: "nginx, 32 KiB",
        kind: Kind::Nginx(Some(32)),
    },
    Relay {
        name: "HAProxy",
        kind: Kind::HaProxy(None),
    },
    Relay {
        name: "HAProxy, 32 KiB",
        kind: Kind::HaProxy(Some(32)),
    },
];

impl Relay {
    /// Whether it is somebody else's, with which ours is compared.
    pub(crate) const fn is_peer(&self) -> bool {
        matches!(self.kind, Kind::Nginx(_) | Kind::HaProxy(_))
    }

    /// Opens the load: what an adapter looks at is of its protocol.
    pub(crate) fn load(&self, relay: SocketAddr, connections: usize, size: usize) -> Result<Load> {
        match self.kind {
            Kind::Adapter => Load::open_pongs(relay, connections, 1, size),
            Kind::Bare | Kind::Revoir | Kind::AllOn | Kind::Nginx(_) | Kind::HaProxy(_) => {
                Load::open(relay, true, connections, 1, size)
            }
        }
    }

    /// Starts it between two ports. `revoir` is our program, `folder` for configurations.
    pub(crate) fn start(
        &self,
        revoir: &Path,
        folder: &Path,
        port: u16,
        backend: u16,
    ) -> Result<Program> {
        let command = match self.kind {
            Kind::Bare => {
                let program = std::env::current_exe()?;
                let program = program.to_str().context("the path is no UTF-8")?;
                vec![
                    program.to_owned(),
                    "bare".to_owned(),
                    port.to_string(),
                    backend.to_string(),
                ]
            }
            Kind::Revoir => {
                let program = revoir.to_str().context("the path is no UTF-8")?;
                vec![
                    program.to_owned(),
                    "serve".to_owned(),
                    format!("--listen=127.0.0.1:{port}"),
                    format!("--upstream=ws://127.0.0.1:{backend}"),
                    "--route-mode=hold".to_owned(),
                ]
            }
            Kind::AllOn => {
                let file = write(folder, "all-on.toml", &all_on(folder, port, backend))?;
                let program = revoir.to_str().context("the path is no UTF-8")?;
                [program, "serve", "--config", &file]
                    .map(str::to_owned)
                    .to_vec()
            }
            Kind::Adapter => {
                let config = format!(
                    "listen = [\"127.0.0.1:{port}\"]\n[[route]]\n\
                     upstreams = [\"ws://127.0.0.1:{backend}\"]\n\
                     protocol = \"graphql-transport-ws\"\n"
                );
                let file = write(folder, "revoir.toml", &config)?;
                let program = revoir.to_str().context("the path is no UTF-8")?;
                [program, "serve", "--config", &file]
                    .map(str::to_owned)
                    .to_vec()
            }
            Kind::Nginx(kib) => {
                let file = write(folder, "nginx.conf", &nginx(folder, port, backend, kib))?;
                ["nginx", "-c", &file].map(str::to_owned).to_vec()
            }
            Kind::HaProxy(kib) => {
                let file = write(folder, "haproxy.cfg", &haproxy(port, backend, kib))?;
                ["haproxy", "-db", "-f", &file].map(str::to_owned).to_vec()
            }
        };
        Program::relay(&command, port)
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<String> {
    let file = folder.join(name);
    fs::write(&file, text)?;
    Ok(file.to_str().context("the path is no UTF-8")?.to_owned())
}

/// Every limit is far away, but looked at.
fn all_on(folder: &Path, port: u16, backend: u16) -> String {
    let folder = folder.display();
    format!(
        "listen = [\"127.0.0.1:{port}\"]\n\
         access-log = \"all\"\n\
         log = \"info\"\n\
         [limits]\n\
         sockets = 100000\n\
         sockets-per-address = 100000\n\
         connections = 100000\n\
         connections-per-address = 100000\n\
         handshakes-per-second = 100000\n\
         [admin]\n\
         listen = \"unix:{folder}/admin-{port}.sock\"\n\
         metrics = \"127.0.0.1:0\"\n\
         [[route]]\n\
         mode = \"hold\"\n\
         upstreams = [\"ws://127.0.0.1:{backend}\"]\n\
         max-age = \"1h\"\n\
         idle-time = \"1h\"\n\
         [route.rate]\n\
         messages = 1000000000\n\
         bytes = 4000000000\n\
         [route.check]\n\
         interval = \"1s\"\n"
    )
}

/// One process, no log, nothing that is not needed to pass WebSocket on.
fn nginx(folder: &Path, port: u16, backend: u16, kib: Option<u32>) -> String {
    let folder = folder.display();
    let buffers = kib.map(|kib| format!("proxy_buffer_size {kib}k; proxy_buffers 4 {kib}k;"));
    let buffers = buffers.unwrap_or_default();
    format!(
        "daemon off;\n\
         master_process off;\n\
         worker_processes 1;\n\
         pid {folder}/nginx.pid;\n\
         error_log stderr crit;\n\
         events {{ use epoll; worker_connections 4096; }}\n\
         http {{\n\
             access_log off;\n\
             client_body_temp_path {folder}/body;\n\
             proxy_temp_path {folder}/proxy;\n\
             fastcgi_temp_path {folder}/fastcgi;\n\
             uwsgi_temp_path {folder}/uwsgi;\n\
             scgi_temp_path {folder}/scgi;\n\
             tcp_nodelay on;\n\
             server {{\n\
                 listen 127.0.0.1:{port} backlog=4096;\n\
                 location / {{\n\
                     proxy_pass http://127.0.0.1:{backend};\n\
                     proxy_http_version 1.1;\n\
                     proxy_set_header Host $http_host;\n\
                     proxy_set_header Upgrade $http_upgrade;\n\
                     proxy_set_header Connection upgrade;\n\
                     proxy_read_timeout 1h;\n\
                     proxy_send_timeout 1h;\n\
                     {buffers}\n\
                 }}\n\
             }}\n\
         }}\n"
    )
}

/// The same for HAProxy.
fn haproxy(port: u16, backend: u16, kib: Option<u32>) -> String {
    let buffers = kib.map(|kib| format!("tune.bufsize {}", kib * 1024));
    let buffers = buffers.unwrap_or_default();
    format!(
        "global\n\
         \tnbthread 1\n\
         \tmaxconn 4096\n\
         \t{buffers}\n\
         defaults\n\
         \tmode http\n\
         \tno log\n\
         \toption http-no-delay\n\
         \ttimeout connect 5s\n\
         \ttimeout client 1h\n\
         \ttimeout server 1h\n\
         \ttimeout tunnel 1h\n\
         frontend in\n\
         \tbind 127.0.0.1:{port} backlog 4096\n\
         \tdefault_backend out\n\
         backend out\n\
         \tserver one 127.0.0.1:{backend}\n"
    )
}
