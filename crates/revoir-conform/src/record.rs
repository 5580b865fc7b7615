//! What happened on the wire: for the report, and to be judged.

use serde::{Deserialize, Serialize};

use crate::case::Role;
use crate::frame::{Incoming, describe, opcode};

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The suite.
    Suite,
    /// The implementation under test.
    Peer,
}

/// One thing that happened on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// Milliseconds since the connection began.
    pub ms: u64,
    /// Who did it.
    pub by: By,
    /// In words.
    pub what: String,
    /// The first bytes of it, in hexadecimal; empty if it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bytes: String,
}

/// How the peer ended the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Fin,
    /// FIN without close_notify.
    Cut,
    Reset(String),
}

/// What the peer did, as the checks need it.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Whether TCP (and TLS) came about.
    pub(crate) connected: bool,
    /// Whether the opening handshake was completed.
    pub(crate) opened: bool,
    pub(crate) status: Option<u16>,
    /// Whole messages: opcode and payload.
    pub(crate) messages: Vec<(u8, Vec<u8>)>,
    /// How many of them were waited for.
    pub(crate) awaited: usize,
    pub(crate) pings: usize,
    pub(crate) pongs: Vec<Vec<u8>>,
    /// The body of its first Close frame.
    pub(crate) close: Option<Vec<u8>>,
    /// Rules that hold for every frame, and were broken.
    pub(crate) faults: Vec<String>,
    /// The same, of those that only should hold.
    pub(crate) doubts: Vec<String>,
    pub(crate) end: Option<End>,
    /// It ended the stream before the suite had ended its own side.
    pub(crate) ended_first: bool,
    /// The step that nothing came for.
    pub(crate) hung: Option<String>,
    /// The step that something else came for.
    pub(crate) failed: Option<String>,
    /// It does not have what the case needs.
    pub(crate) unsupported: Option<String>,
    /// What the suite itself could not do.
    pub(crate) trouble: Option<String>,
}

impl Seen {
    /// The code of its first Close frame: `Some(None)` if that has none.
    pub(crate) fn close_code(&self) -> Option<Option<u16>> {
        self.close.as_ref().map(|body| match body[..] {
            [high, low, ..] => Some(u16::from_be_bytes([high, low])),
            _ => None,
        })
    }

    /// Holds a frame against the rules that every frame is under.
    pub(crate) fn examine(
        &mut self,
        frame: &Incoming,
        role: Role,
        in_message: bool,
        deflate: bool,
    ) {
        let mut wrong = Vec::new();
        match (role, frame.masked) {
            (Role::Client, false) => wrong.push("it masks no frame (RFC 6455 section 5.1)"),
            (Role::Server, true) => wrong.push("it masks a frame (RFC 6455 section 5.1)"),
            _ => {}
        }
        // Pings and pongs are no data, and may still come.
        if self.close.is_some() && !matches!(frame.opcode, opcode::PING | opcode::PONG) {
            wrong.push("it sends a frame after its Close frame (RFC 6455 section 5.5.1)");
        }
        if !frame.shortest {
            wrong.push("a length is not in the shortest form (RFC 6455 section 5.2)");
        }
        let compressed =
            deflate && frame.rsv == 4 && matches!(frame.opcode, opcode::TEXT | opcode::BINARY);
        if frame.rsv != 0 && !compressed {
            wrong.push("a reserved bit is set (RFC 6455 section 5.2)");
        }
        match frame.opcode {
            opcode::CONTINUATION if !in_message => {
                wrong.push("nothing is continued (RFC 6455 section 5.4)")
            }
            opcode::TEXT | opcode::BINARY if in_message => {
                wrong.push("a message begins inside another (RFC 6455 section 5.4)");
            }
            8..=10 if !frame.fin || frame.payload.len() > 125 => {
                wrong.push("a control frame is too long or in fragments (RFC 6455 section 5.5)");
            }
            0..=2 | 8..=10 => {}
            _ => wrong.push("an opcode is not defined (RFC 6455 section 5.2)"),
        }
        let what = describe(frame.fin, frame.rsv, frame.opcode, &frame.payload);
        self.faults
            .extend(wrong.iter().map(|wrong| format!("{wrong}: {what}")));
        if frame.opcode == opcode::CLOSE {
            self.examine_close(&frame.payload);
        }
    }

    fn examine_close(&mut self, body: &[u8]) {
        match *body {
            [] => {}
            [_] => self
                .faults
                .push("its Close frame has one byte (RFC 6455 section 5.5.1)".to_owned()),
            [high, low, ref reason @ ..] => {
                let code = u16::from_be_bytes([high, low]);
                match code {
                    1004..=1006 | 1015 => self.faults.push(format!(
                        "its Close frame has the code {code}, which must not be sent (RFC 6455 section 7.4.1)"
                    )),
                    0..=999 | 1016..=2999 | 5000.. => self.doubts.push(format!(
                        "its Close frame has the code {code}, which nobody has defined (RFC 6455 section 7.4.2)"
                    )),
                    _ => {}
                }
                if std::str::from_utf8(reason).is_err() {
                    self.faults
                        .push("its Close reason is not UTF-8 (RFC 6455 section 5.5.1)".to_owned());
                }
            }
        }
    }
}

/// Bytes in hexadecimal digits, as many as a report shows.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(crate::frame::SHOWN)];
    shown.iter().map(|byte| format!("{byte:02x}")).collect()
}
