//! [`Talk`]: what a connection of a capture says, as far as it can be read: the opening handshake and the
//! frames of both sides. Nothing is deciphered.

use std::time::Duration;

use revoir::Role;
use revoir::ending::ProtocolError;
use revoir_proto::frame::{CloseFrame, FrameHeader, Mask, Opcode};
use revoir_proto::handshake;

use crate::diagnose::capture::flow::{Flow, Half};

/// So much of the body of a refusal is kept.
const BODY: usize = 4096;

/// What is spoken.
#[derive(Debug)]
pub(super) enum Talk {
    WebSocket(Box<WebSocket>),
    /// TLS: only how TCP ends is to be seen.
    Tls {
        /// The server answered with something else.
        plain_answer: bool,
    },
    /// An opening handshake without TLS that was answered with TLS.
    TlsAnswer,
    /// No byte went either way.
    Nothing,
}

/// A WebSocket, or what was to become one.
#[derive(Debug)]
pub(super) struct WebSocket {
    /// What was asked for, without its query.
    pub(super) path: String,
    pub(super) answer: Option<OpeningAnswer>,
    /// Whoever speaks: the client first.
    pub(super) sides: [Side; 2],
}

/// The answer to the opening handshake.
#[derive(Debug)]
pub(super) struct OpeningAnswer {
    pub(super) status: u16,
    pub(super) at: Duration,
    pub(super) headers: Vec<(String, String)>,
    /// Whether it accepts another key than the one of the request, which a client must refuse.
    pub(super) accepts_other_key: bool,
    /// The beginning of the body of a refusal.
    pub(super) body: String,
}

/// What one side said after the handshake.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// When the last byte of a frame came that is no Close frame.
    pub(super) last: Option<Duration>,
    pub(super) close: Option<(Duration, CloseFrame)>,
    /// The rule that it broke, after which nothing is read.
    pub(super) broken: Option<ProtocolError>,
    /// When its pings came.
    pub(super) pings: Vec<Duration>,
    /// When its last pong came.
    pub(super) pong: Option<Duration>,
}

impl Talk {
    /// `None` for a connection that is no WebSocket, as far as is to be seen.
    pub(super) fn of(flow: &Flow) -> Option<Self> {
        let (up, down) = (&flow.up.bytes, &flow.down.bytes);
        let is_tls = |bytes: &[u8]| matches!(bytes, [0x14..=0x17, 3, ..]);
        if is_tls(up) {
            let plain_answer = !down.is_empty() && !is_tls(down);
            return Some(Self::Tls { plain_answer });
        }
        let Some((begin, head)) = upgrade(up) else {
            return (up.is_empty() && down.is_empty()).then_some(Self::Nothing);
        };
        if is_tls(down) {
            return Some(Self::TlsAnswer);
        }
        let socket = WebSocket::of(flow, begin, &head);
        Some(Self::WebSocket(Box::new(socket)))
    }
}

impl WebSocket {
    fn of(flow: &Flow, frames_of_client: usize, request: &Head) -> Self {
        let path = request.first.split(' ').nth(1).unwrap_or("/");
        let path = path.split('?').next().unwrap_or("/").to_owned();
        let mut socket = Self {
            path,
            answer: None,
            sides: [Side::default(), Side::default()],
        };
        let Some((place, head)) = answer(&flow.down.bytes) else {
            return socket;
        };
        let body = &flow.down.bytes[place..];
        let status = head.status();
        let key = request.field("sec-websocket-key").unwrap_or_default();
        let accepted = head.field("sec-websocket-accept").unwrap_or_default();
        socket.answer = Some(OpeningAnswer {
            status,
            accepts_other_key: status == 101 && accepted != handshake::accept(key),
            at: flow.down.at(place - 1).unwrap_or(flow.last),
            body: String::from_utf8_lossy(&body[..body.len().min(BODY)]).into_owned(),
            headers: head.fields.clone(),
        });
        if status == 101 {
            let offered = head.field("sec-websocket-extensions");
            let compressed = offered.is_some_and(|of| of.contains("permessage-deflate"));
            let read = |half, begin, role| Side::of(half, begin, role, compressed);
            socket.sides = [
                read(&flow.up, frames_of_client, Role::Server),
                read(&flow.down, place, Role::Client),
            ];
        }
        socket
    }

    /// Whether it opened.
    pub(super) fn is_open(&self) -> bool {
        self.answer.as_ref().is_some_and(|of| of.status == 101)
    }
}

impl Side {
    /// `role` is that of the other side, which reads.
    fn of(half: &Half, begin: usize, role: Role, compressed: bool) -> Self {
        let mut side = Self::default();
        let mut place = begin;
        while let Some(bytes) = half.bytes.get(place..).filter(|of| !of.is_empty()) {
            let (header, taken) = match FrameHeader::parse(bytes, role, compressed) {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(rule) => {
                    side.broken = Some(rule);
                    break;
                }
            };
            let length = usize::try_from(header.length).unwrap_or(usize::MAX);
            let Some(payload) = bytes[taken..].get(..length) else {
                side.last = half.at(half.bytes.len() - 1);
                break;
            };
            place += taken + length;
            let at = half.at(place - 1).unwrap_or_default();
            side.frame(&header, payload, at);
            if side.close.is_some() || side.broken.is_some() {
                break;
            }
        }
        side
    }

    fn frame(&mut self, header: &FrameHeader, payload: &[u8], at: Duration) {
        match header.opcode {
            Opcode::Close => {
                let mut payload = payload.to_vec();
                if let Some(key) = header.masking_key {
                    Mask::new(key).apply(&mut payload);
                }
                match CloseFrame::parse(&payload) {
                    Ok(frame) => self.close = Some((at, frame)),
                    Err(rule) => self.broken = Some(rule),
                }
                return;
            }
            Opcode::Ping => self.pings.push(at),
            Opcode::Pong => self.pong = Some(at),
            _ => {}
        }
        self.last = Some(at);
    }
}

/// The head of a request or an answer.
#[derive(Debug)]
struct Head {
    first: String,
    fields: Vec<(String, String)>,
}

impl Head {
    /// The head at the beginning, and where it ends.
    fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let text = String::from_utf8_lossy(&bytes[..end - 4]);
        let mut lines = text.split("\r\n");
        let first = lines.next()?.to_owned();
        let field = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        };
        let fields = lines.filter_map(field).collect();
        Some((Self { first, fields }, end))
    }

    fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }

    fn status(&self) -> u16 {
        let status = self.first.split(' ').nth(1).and_then(|of| of.parse().ok());
        status.unwrap_or_default()
    }

    /// How long the body is that a head announces; 0 if it does not say so.
    fn body(&self) -> usize {
        let length = self.field("content-length").and_then(|of| of.parse().ok());
        length.unwrap_or_default()
    }
}

/// The request for a WebSocket among those of a client, and where it ends.
fn upgrade(bytes: &[u8]) -> Option<(usize, Head)> {
    let mut place = 0;
    loop {
        let (head, end) = Head::read(bytes.get(place..)?)?;
        let wanted = head.field("upgrade");
        if wanted.is_some_and(|of| of.eq_ignore_ascii_case("websocket")) {
            return Some((place + end, head));
        }
        if !head.first.contains(" HTTP/") {
            return None;
        }
        place = place.checked_add(end)?.checked_add(head.body())?;
    }
}

/// The answer that matters among those of a server, and where its head ends: the first 101, else the last.
fn answer(bytes: &[u8]) -> Option<(usize, Head)> {
    let mut found = None;
    let mut place = 0;
    while let Some(begin) = find(bytes.get(place..)?, b"HTTP/1.") {
        let begin = place + begin;
        let Some((head, end)) = Head::read(&bytes[begin..]) else {
            break;
        };
        place = begin + end;
        let is_switch = head.status() == 101;
        found = Some((place, head));
        if is_switch {
            break;
        }
    }
    found
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|of| of == wanted)
}
