//! [`AccessLine`]: an entry of the gateway's log as a line for people.

use std::time::SystemTime;

use humantime::format_rfc3339_millis;

use super::Screen;
use crate::printable::{counted, one_line};
use revoir_gateway::{Exchange, Format, LoggedRequest, Record, Side, Sum};

/// The longest text from outside on a line for people, in characters.
const SHOWN_CHARACTERS: usize = 200;

/// Lines for people.
#[derive(Debug)]
pub(crate) struct AccessLine<'a>(pub(crate) &'a Screen);

impl Format for AccessLine<'_> {
    fn connection(&self, record: &Record) -> String {
        connection(self.0, record)
    }

    fn request(&self, exchange: &Exchange) -> String {
        request(self.0, exchange)
    }

    fn dropped(&self, lines: u64) -> String {
        format!("{lines} lines are missing here: they came too fast\n")
    }
}

fn connection(screen: &Screen, record: &Record) -> String {
    let handle = &record.handle;
    let lead = lead(screen, record.at, &handle.name);
    let client = client(&handle.request);
    let path = one_line(&handle.request.path, SHOWN_CHARACTERS);
    let open = record.open_for.as_secs_f64();
    let handshake = handle.handshake.as_secs_f64();
    let mut line = format!("{lead} {client} {path}: {open:.1} s, 101 after {handshake:.3} s");
    let mut came = |side, name| {
        let Sum { messages, bytes } = handle.traffic.sum(side);
        let messages = counted(messages, "message");
        let bytes = counted(bytes, "byte");
        line += &format!(", {messages} ({bytes}) from the {name}");
    };
    came(Side::Client, "client");
    came(Side::Backend, "backend");
    if record.holds > 0 {
        let held = record.held.as_secs_f64();
        let holds = counted(record.holds.into(), "hold");
        line += &format!(", held {held:.1} s in {holds}");
    }
    line += &format!(", {}", handle.treatment());
    line += &names(&handle.request);
    for (name, ended) in [("client", &record.client), ("backend", &record.backend)] {
        let ending = match ended {
            Some(ended) => one_line(&ended.ending.to_string(), usize::MAX),
            None => "still open when the gateway stopped".to_owned(),
        };
        line += &format!("; {} {ending}", screen.faint(&format!("{name}:")));
    }
    line + "\n"
}

fn request(screen: &Screen, exchange: &Exchange) -> String {
    let LoggedRequest { method, path, .. } = &exchange.request;
    let client = client(&exchange.request);
    let lead = lead(screen, exchange.at, "-");
    let asked = match &**method {
        "" => "no request that could be read".to_owned(),
        method => format!(
            "{} {}",
            one_line(method, 20),
            one_line(path, SHOWN_CHARACTERS)
        ),
    };
    let status = exchange.status;
    let bytes = counted(exchange.response_bytes, "byte");
    let took = exchange.took.as_secs_f64();
    let mut line = format!("{lead} {client} {asked}: {status}, {bytes}, {took:.3} s");
    if exchange.is_handshake {
        line += ", a WebSocket handshake";
    }
    if !exchange.is_whole && !method.is_empty() {
        line += ", the client left";
    }
    line + &names(&exchange.request) + "\n"
}

/// Who asks, and through which proxy.
fn client(request: &LoggedRequest) -> String {
    let LoggedRequest { peer, client, .. } = request;
    match client {
        Some(client) if Some(*client) != peer.ip() => format!("{client} (by {peer})"),
        _ => peer.to_string(),
    }
}

/// The route and the name of a request, where it has them.
fn names(request: &LoggedRequest) -> String {
    let mut names = String::new();
    if let Some(route) = &request.route {
        names += &format!(", route {}", one_line(route, SHOWN_CHARACTERS));
    }
    if !request.id.is_empty() {
        names += &format!(", request {}", one_line(&request.id, SHOWN_CHARACTERS));
    }
    names
}

fn lead(screen: &Screen, at: SystemTime, name: &str) -> String {
    format!("{} {}", screen.faint(&time(at)), screen.strong(name))
}

fn time(at: SystemTime) -> String {
    format_rfc3339_millis(at).to_string()
}
