//! [`AccessLine`]: an entry of the gateway's log as a line for people.

use std::time::SystemTime;

use humantime::format_rfc3339_millis;

use super::Screen;
use crate::printable::one_line;
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
    let LoggedRequest { peer, path, .. } = &handle.request;
    let path = one_line(path, SHOWN_CHARACTERS);
    let open = record.open_for.as_secs_f64();
    let mut line = format!("{lead} {peer} {path}: {open:.1} s");
    let mut came = |side, name| {
        let Sum { messages, bytes } = handle.traffic.sum(side);
        line += &format!(", {messages} messages ({bytes} bytes) from the {name}");
    };
    came(Side::Client, "client");
    came(Side::Backend, "backend");
    if record.holds > 0 {
        let held = record.held.as_secs_f64();
        line += &format!(", held {held:.1} s in {} holds", record.holds);
    }
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
    let LoggedRequest {
        peer, method, path, ..
    } = &exchange.request;
    let lead = lead(screen, exchange.at, "-");
    let (method, path) = (one_line(method, 20), one_line(path, SHOWN_CHARACTERS));
    let (status, bytes) = (exchange.status, exchange.response_bytes);
    let took = exchange.took.as_secs_f64();
    let mut line = format!("{lead} {peer} {method} {path}: {status}, {bytes} bytes, {took:.3} s");
    if exchange.is_handshake {
        line += ", no WebSocket";
    }
    if !exchange.is_whole {
        line += ", the client left";
    }
    line + "\n"
}

fn lead(screen: &Screen, at: SystemTime, name: &str) -> String {
    format!("{} {}", screen.faint(&time(at)), screen.strong(name))
}

fn time(at: SystemTime) -> String {
    format_rfc3339_millis(at).to_string()
}
