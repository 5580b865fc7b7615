//! What `connect`, `diagnose` and `listen` have in common on the command line, as settings of the library.

use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::time::Duration;

use revoir::client::{ConnectError, InvalidUrl};
use revoir::handshake::DeflateConfig;
use revoir::handshake::Extensions;
use revoir::tls::ClientTls;
use revoir::websocket::KeepaliveConfig;
use revoir::{Client, Config};

use crate::exit::Failure;

/// `config` with a limit on messages, and another interval of pings, where they are given.
pub(crate) fn config(
    mut config: Config,
    max_message: Option<usize>,
    ping_interval: Option<Duration>,
) -> Config {
    if let Some(limit) = max_message {
        config.limits.message = limit;
    }
    match ping_interval {
        Some(Duration::ZERO) => config.keepalive = None,
        Some(interval) => {
            let mut keepalive = KeepaliveConfig::default();
            keepalive.interval = interval;
            config.keepalive = Some(keepalive);
        }
        None => {}
    }
    config
}

/// The command line of `command` is wrong in a way that shows only when it is used.
pub(crate) fn mistake(command: &str, mistake: &ConnectError) -> Failure {
    let tip = match mistake {
        ConnectError::Url(InvalidUrl::Scheme { got }) if got == "http" || got == "https" => {
            "\n\n  tip: a WebSocket has ws:// for http://, and wss:// for https://"
        }
        ConnectError::Url(InvalidUrl::Syntax { .. } | InvalidUrl::Scheme { .. }) => {
            "\n\n  tip: a URL looks like ws://localhost:9000/path"
        }
        ConnectError::Url(InvalidUrl::Userinfo) => {
            "\n\n  tip: send credentials with --header \"Authorization: Basic …\""
        }
        _ => "",
    };
    let text = match mistake {
        ConnectError::Proxy(invalid) if invalid.from == "with_proxy" => {
            let mut invalid = invalid.clone();
            invalid.from = "--proxy";
            invalid.to_string()
        }
        mistake => mistake.to_string(),
    };
    Failure::usage(command, &format!("{text}{tip}"))
}

/// permessage-deflate, if it is wanted.
pub(crate) fn extensions(deflate: bool) -> Extensions {
    if deflate {
        Extensions::with_deflate(DeflateConfig::default())
    } else {
        Extensions::default()
    }
}

/// `client` with the proxy that --proxy gives, or else the environment.
pub(crate) fn through(client: Client, proxy: Option<&str>) -> Client {
    match proxy {
        None => client.with_proxy_from_env(),
        Some("none") => client,
        Some(url) => client.with_proxy(url),
    }
}

/// `client` with the trust that --insecure and --ca give.
pub(crate) fn trusting(
    mut client: Client,
    insecure: bool,
    ca: Option<&Authority<'_>>,
) -> Result<Client, Failure> {
    if insecure {
        client = client.with_tls(ClientTls::insecure());
    }
    if let Some(ca) = ca {
        let tls = ClientTls::with_roots(&ca.pem);
        client = client.with_tls(tls.map_err(|error| ca.unusable(&error))?);
    }
    Ok(client)
}

/// The file of --ca. It is read once: it may be a pipe.
pub(crate) struct Authority<'a> {
    path: &'a Path,
    pub(crate) pem: Vec<u8>,
}

impl<'a> Authority<'a> {
    /// The one that is named, if one is.
    pub(crate) fn read(path: Option<&'a Path>) -> Result<Option<Self>, Failure> {
        let Some(path) = path else { return Ok(None) };
        let pem = read("--ca", path)?;
        Ok(Some(Self { path, pem }))
    }

    /// It has no authority that can be trusted.
    pub(crate) fn unusable(&self, problem: &dyn Display) -> Failure {
        Failure::Impossible {
            problem: format!("--ca: {}: {problem}", self.path.display()),
            hint: "use the PEM file of the authority that issued the server's certificate"
                .to_owned(),
        }
    }
}

/// A file that a flag names.
pub(crate) fn read(flag: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::Impossible {
        problem: format!("{flag}: cannot read {}: {error}", path.display()),
        hint: "use the path of a PEM file".to_owned(),
    })
}
