//! What `connect` and `listen` have in common on the command line, as settings of the library.

use std::fs;
use std::path::Path;
use std::time::Duration;

use revoir::Config;
use revoir::client::{ConnectError, InvalidProxy, InvalidUrl};
use revoir::handshake::DeflateConfig;
use revoir::handshake::Extensions;
use revoir::websocket::KeepaliveConfig;

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
    let mut text = mistake.to_string();
    if let ConnectError::Proxy(InvalidProxy {
        from: "with_proxy", ..
    }) = mistake
    {
        text = text.replacen("in with_proxy", "in --proxy", 1);
    }
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

/// A file that a flag names.
pub(crate) fn read(flag: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::Impossible {
        problem: format!("{flag}: cannot read {}: {error}", path.display()),
        hint: "use the path of a PEM file".to_owned(),
    })
}
