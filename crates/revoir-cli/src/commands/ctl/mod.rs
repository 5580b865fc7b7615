//! `revoir ctl`: shows and steers a `serve` that runs.

mod client;
mod table;

use std::time::Duration;

use humantime::format_duration;
use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::Answer;
use crate::args::{CtlArgs, CtlCommand};
use crate::exit::Failure;
use crate::output::{Page, Screen};
use crate::printable::counted;
use client::Client;
use revoir_gateway::{
    ConnectionLine, DrainAs, DrainLine, EndWith, EndingLine, ReloadLine, SessionLine, StatusLine,
    Sum,
};
use table::Table;

pub(crate) fn run(args: &CtlArgs, screen: &Screen) -> Result<Answer, Failure> {
    let client = Client::new(args.admin.as_ref());
    let nothing: Option<&()> = None;
    let text = match &args.command {
        CtlCommand::List => {
            let lines = client.ask(&Method::GET, "/v1/connections", nothing)?;
            if screen.json {
                return Ok(lines.into());
            }
            list(&parse_lines(&lines)?)
        }
        CtlCommand::Status => {
            let line = client.ask(&Method::GET, "/v1/status", nothing)?;
            if screen.json {
                return Ok(line.into());
            }
            status(screen, &parse(&line)?)
        }
        CtlCommand::End { conn, code, reason } => {
            let with = EndWith {
                code: code.get(),
                reason: reason.as_str().to_owned(),
            };
            let line = post(&client, &format!("/v1/connections/{conn}/end"), &with)?;
            if screen.json {
                return Ok(line.into());
            }
            let EndingLine { id, .. } = parse(&line)?;
            format!("{id} is closed with {code}\n")
        }
        CtlCommand::Drain { restart } => {
            let how = DrainAs {
                restart: restart.then_some(true),
            };
            let line = post(&client, "/v1/drain", &how)?;
            if screen.json {
                return Ok(line.into());
            }
            let DrainLine { connections } = parse(&line)?;
            let connections = connections_of(connections);
            format!("the gateway closes {connections} and stops\n")
        }
        CtlCommand::Reload => {
            let line = client.ask(&Method::POST, "/v1/reload", nothing)?;
            if screen.json {
                return Ok(line.into());
            }
            format!("{}\n", parse::<ReloadLine>(&line)?)
        }
    };
    Ok(text.into())
}

fn post(client: &Client, path: &str, value: &impl Serialize) -> Result<String, Failure> {
    client.ask(&Method::POST, path, Some(value))
}

fn parse_lines(lines: &str) -> Result<Vec<ConnectionLine>, Failure> {
    lines.lines().map(parse).collect()
}

fn parse<T: DeserializeOwned>(line: &str) -> Result<T, Failure> {
    serde_json::from_str(line).map_err(|error| Failure::Impossible {
        problem: format!("the answer is not understood: {error}"),
        hint: "use the same version as `serve`".to_owned(),
    })
}

fn list(connections: &[ConnectionLine]) -> String {
    if connections.is_empty() {
        return "no connections\n".to_owned();
    }
    let mut table = Table::new([
        "CONNECTION",
        "CLIENT",
        "PATH",
        "UPSTREAM",
        "MODE",
        "AGE",
        "IDLE",
        "HELD",
        "SILENT",
        "FROM CLIENT",
        "FROM BACKEND",
        "RTT",
    ]);
    let nothing = || "-".to_owned();
    for one in connections {
        let rtt = |rtt: Option<f64>| rtt.map_or_else(nothing, |rtt| format!("{rtt:.1}"));
        let rtts = match (one.client_rtt_ms, one.backend_rtt_ms) {
            (None, None) => nothing(),
            (client, backend) => format!("{} + {} ms", rtt(client), rtt(backend)),
        };
        table.row([
            one.id.clone(),
            one.peer.clone(),
            one.path.clone(),
            one.upstream.clone(),
            mode(one),
            span(one.age_ms),
            span(one.idle_ms),
            one.held_ms.map_or_else(nothing, span),
            one.silent_ms.map_or_else(nothing, span),
            traffic(one.from_client),
            traffic(one.from_backend),
            rtts,
        ]);
    }
    table.finish()
}

fn mode(one: &ConnectionLine) -> String {
    let session = one.session.as_ref().map_or("", session);
    format!("{} ({}){session}", one.mode, one.mode_by)
}

/// How a session stands, in the words of the metrics.
const fn session(line: &SessionLine) -> &'static str {
    match (line.attached, line.volatile) {
        (true, false) => ", session attached",
        (true, true) => ", session attached, volatile",
        (false, false) => ", session detached",
        (false, true) => ", session detached, volatile",
    }
}

fn status(screen: &Screen, status: &StatusLine) -> String {
    let mut page = Page::new(screen);
    let StatusLine { version, pid, .. } = status;
    let up = span(status.uptime_ms);
    let what = if status.draining {
        "draining"
    } else {
        "serving"
    };
    page.line(&format!("revoir {version}, process {pid}, {what}, up {up}"));
    let bytes = counted(status.held_bytes as u64, "byte");
    let mut rows = vec![
        ("connections", status.connections.to_string()),
        ("held", status.held.to_string()),
        ("memory", format!("{bytes} that clients fill")),
        ("from clients", traffic(status.from_clients)),
        ("from backends", traffic(status.from_backends)),
    ];
    for upstream in &status.upstreams {
        let accepts = match (upstream.accepts, upstream.silent) {
            (_, true) => "is silent",
            (true, _) => "accepts",
            (false, _) => "does not accept",
        };
        let (name, connections) = (&upstream.upstream, connections_of(upstream.connections));
        let role = if upstream.backup {
            "backup"
        } else {
            "upstream"
        };
        rows.push((role, format!("{name}: {accepts}, {connections}")));
    }
    if status.dropped_lines > 0 {
        rows.push(("lines dropped", status.dropped_lines.to_string()));
    }
    page.table(0, &rows);
    page.finish()
}

fn traffic(sum: Sum) -> String {
    format!("{} ({})", sum.messages, counted(sum.bytes, "byte"))
}

fn connections_of(count: usize) -> String {
    counted(count as u64, "connection")
}

/// A duration in its two largest units.
fn span(ms: u64) -> String {
    if ms < 1000 {
        return format!("{ms}ms");
    }
    let text = format_duration(Duration::from_secs(ms / 1000)).to_string();
    let units: Vec<_> = text.split(' ').take(2).collect();
    units.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_attached_or_detached_and_may_be_volatile() {
        let said = |attached, volatile| {
            session(&SessionLine {
                id: "7f".to_owned(),
                attached,
                connections: 1,
                volatile,
                kept_messages: 0,
                kept_bytes: 0,
            })
        };
        assert_eq!(said(true, false), ", session attached");
        assert_eq!(said(false, false), ", session detached");
        assert_eq!(said(true, true), ", session attached, volatile");
        assert_eq!(said(false, true), ", session detached, volatile");
    }

    #[test]
    fn durations_are_short() {
        assert_eq!(span(12), "12ms");
        assert_eq!(span(5_999), "5s");
        assert_eq!(span(61_000), "1m 1s");
        assert_eq!(span(90_061_000), "1day 1h");
    }
}
