//! What the reference says of an implementation, beside what was measured: `data/observed` of `revoir-codes`.

use std::fs;

use anyhow::Context;
use serde_json::Value;

use super::results::{Case, Results};

/// A file of `data/observed` and the adapter of the same implementation.
const SAME: [(&str, &str); 18] = [
    ("aiohttp", "aiohttp"),
    ("autobahn-python", "autobahn"),
    ("chrome", "chromium"),
    ("coder-websocket", "nhooyr"),
    ("fastwebsockets", "fastwebsockets"),
    ("faye-websocket", "faye-websocket"),
    ("firefox", "firefox"),
    ("gorilla", "gorilla"),
    ("java-httpclient", "jdk"),
    ("netty", "netty"),
    ("okhttp", "okhttp"),
    ("python-websockets", "websockets"),
    ("tokio-websockets", "tokio-websockets"),
    ("tungstenite", "tungstenite"),
    ("undici", "undici"),
    ("uwebsockets", "uwebsockets"),
    ("websocket-client", "websocket-client"),
    ("ws", "ws"),
];

/// A key of those files, the case that asks for it, and in words.
const STATEMENTS: [(&str, &str, &str); 5] = [
    (
        "empty",
        "codes.empty",
        "told of a Close frame without a code",
    ),
    ("fin", "tcp.fin.idle", "told of FIN"),
    ("rst", "tcp.reset.idle", "told of RST"),
    (
        "refused",
        "codes.undefined.1016",
        "told of a code that nobody has defined",
    ),
    (
        "handshake",
        "opening.client.status-403",
        "told of a refused handshake",
    ),
];

/// How many statements were compared, and those that do not hold: a row of a table each.
pub(super) fn compare(all: &[Results]) -> anyhow::Result<(usize, Vec<String>)> {
    let folder = crate::root().join("crates/revoir-codes/data/observed");
    let mut compared = 0;
    let mut rows = Vec::new();
    for (file, name) in SAME {
        let Some(results) = all.iter().find(|results| results.name == name) else {
            continue;
        };
        let path = folder.join(format!("{file}.toml"));
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let said: toml::Table =
            toml::from_str(&text).with_context(|| format!("read {}", path.display()))?;
        let word = |key: &str| {
            said.get(key)
                .and_then(toml::Value::as_str)
                .unwrap_or_default()
        };
        for role in results.roles.keys() {
            for (key, case, words) in STATEMENTS {
                let (Some(before), Some(case)) = (said.get(key), results.steady(role, case)) else {
                    continue;
                };
                let before = before
                    .as_str()
                    .map_or_else(|| before.to_string(), str::to_owned);
                let now = outcome(case);
                // It accepts that one: then nothing is said of it.
                if key == "refused" && now == "1016" {
                    continue;
                }
                compared += 1;
                if before != now {
                    rows.push(format!(
                        "| {name} | {role} | {words} | {before} ({}, {}) | {now} ({}) |",
                        word("version"),
                        word("evidence"),
                        results.version,
                    ));
                }
            }
        }
    }
    Ok((compared, rows))
}

/// What the application was told, in the words of those files.
fn outcome(case: &Case) -> String {
    let is = |event: &&Value, name: &str| event["event"] == name;
    let closed = case.told.iter().find(|event| is(event, "closed"));
    if let Some(code) = closed.and_then(|closed| closed["code"].as_u64()) {
        return code.to_string();
    }
    let is_error = |event: &Value| event.get("class").is_some() || event.get("text").is_some();
    let fails =
        case.told.iter().any(|event| event["event"] == "error") || closed.is_some_and(is_error);
    if fails { "error" } else { "nothing" }.to_owned()
}
