//! The heads of the opening handshake, right or changed on purpose.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::case::Edit;

/// What RFC 6455 section 1.3 has appended to the key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// `Sec-WebSocket-Accept` for a key.
#[must_use]
pub fn accept_for(key: &str) -> String {
    let mut sha1 = sha1_smol::Sha1::new();
    sha1.update(key.as_bytes());
    sha1.update(GUID.as_bytes());
    BASE64_STANDARD.encode(sha1.digest().bytes())
}

/// A head of HTTP/1.1: a first line, and headers in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    /// The request of a right client.
    pub(crate) fn request(host: &str, path: &str, deflate: bool) -> Self {
        let key: [u8; 16] = std::array::from_fn(|_| fastrand::u8(..));
        let mut headers = vec![
            ("Host", host.to_owned()),
            ("Upgrade", "websocket".to_owned()),
            ("Connection", "Upgrade".to_owned()),
            ("Sec-WebSocket-Key", BASE64_STANDARD.encode(key)),
            ("Sec-WebSocket-Version", "13".to_owned()),
        ];
        if deflate {
            headers.push(("Sec-WebSocket-Extensions", "permessage-deflate".to_owned()));
        }
        Self {
            line: format!("GET {path} HTTP/1.1"),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }
    }

    /// The answer of a right server.
    pub(crate) fn response(request: &Self, deflate: bool) -> Self {
        let key = request.get("Sec-WebSocket-Key").unwrap_or_default();
        let mut headers = vec![
            ("Upgrade", "websocket".to_owned()),
            ("Connection", "Upgrade".to_owned()),
            ("Sec-WebSocket-Accept", accept_for(key)),
        ];
        if deflate {
            headers.push(("Sec-WebSocket-Extensions", "permessage-deflate".to_owned()));
        }
        Self {
            line: "HTTP/1.1 101 Switching Protocols".to_owned(),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        }
    }

    /// The first head in `bytes`, and how long it is.
    pub(crate) fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = text.trim_end().split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers =
            headers.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
        let head = Self {
            line,
            headers: headers.collect(),
        };
        Some((head, end))
    }

    /// The first header of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut named = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| &**value)
    }

    /// The status of a response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.line.split(' ').nth(1)?.parse().ok()
    }

    /// Makes the changes that are about the head itself.
    pub(crate) fn change(&mut self, edits: &[Edit], fill: impl Fn(&str) -> String) {
        let is = |name: &str| {
            let name = name.to_owned();
            move |header: &(String, String)| header.0.eq_ignore_ascii_case(&name)
        };
        for edit in edits {
            match edit {
                Edit::Line(line) => self.line = fill(line),
                Edit::Set(name, value) => {
                    let header = (name.clone(), fill(value));
                    match self.headers.iter().position(is(name)) {
                        Some(at) => self.headers[at] = header,
                        None => self.headers.push(header),
                    }
                }
                Edit::Add(name, value) => self.headers.push((name.clone(), fill(value))),
                Edit::Drop(name) => {
                    let is = is(name);
                    self.headers.retain(|header| !is(header));
                }
                Edit::Filler(length) => {
                    self.headers
                        .push(("X-Filler".to_owned(), "a".repeat(*length)));
                }
                Edit::Body(_) | Edit::BareLf | Edit::InPieces | Edit::First(_) | Edit::Then(_) => {}
            }
        }
    }

    /// Its bytes.
    pub(crate) fn bytes(&self, newline: &str) -> Vec<u8> {
        let mut text = format!("{}{newline}", self.line);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}{newline}");
        }
        text += newline;
        text.into_bytes()
    }
}
