//! Frames of RFC 6455 as bytes, right or wrong on purpose.
//!
//! Nothing here refuses anything: the suite has to write what no library writes, and to read what a
//! broken implementation sends.

/// The opcodes of RFC 6455 section 5.2.
pub(crate) mod opcode {
    pub(crate) const CONTINUATION: u8 = 0;
    pub(crate) const TEXT: u8 = 1;
    pub(crate) const BINARY: u8 = 2;
    pub(crate) const CLOSE: u8 = 8;
    pub(crate) const PING: u8 = 9;
    pub(crate) const PONG: u8 = 10;
}

/// How the payload's length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// The shortest form.
    Shortest,
    /// 126 and 16 bits.
    Bits16,
    /// 127 and 64 bits.
    Bits64,
}

/// A masking key, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mask {
    None,
    Zero,
    Random,
}

/// One frame to be written.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) fin: bool,
    /// RSV1 is 4, RSV2 is 2, RSV3 is 1.
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
    pub(crate) length: Length,
    /// The length that the header claims, if another than the payload's.
    pub(crate) claims: Option<u64>,
}

impl Outgoing {
    /// A whole frame.
    pub(crate) fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            fin: true,
            rsv: 0,
            opcode,
            payload: payload.into(),
            length: Length::Shortest,
            claims: None,
        }
    }

    /// Its bytes.
    pub(crate) fn bytes(&self, mask: Mask) -> Vec<u8> {
        let first = u8::from(self.fin) << 7 | (self.rsv & 7) << 4 | (self.opcode & 15);
        let masked = u8::from(mask != Mask::None) << 7;
        let length = self.claims.unwrap_or(self.payload.len() as u64);
        let mut out = vec![first];
        match (self.length, length) {
            (Length::Shortest, 0..=125) => out.push(masked | length.to_be_bytes()[7]),
            (Length::Shortest, 126..=0xffff) | (Length::Bits16, _) => {
                out.push(masked | 126);
                out.extend_from_slice(&length.to_be_bytes()[6..]);
            }
            (Length::Shortest | Length::Bits64, _) => {
                out.push(masked | 127);
                out.extend_from_slice(&length.to_be_bytes());
            }
        }
        let key: [u8; 4] = match mask {
            Mask::None => {
                out.extend_from_slice(&self.payload);
                return out;
            }
            Mask::Zero => [0; 4],
            Mask::Random => fastrand::u32(1..).to_be_bytes(),
        };
        out.extend_from_slice(&key);
        out.extend(
            self.payload
                .iter()
                .zip(key.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
        out
    }
}

/// One frame that was read, its mask taken off.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    pub(crate) fin: bool,
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) masked: bool,
    /// Whether its length was written in the shortest form.
    pub(crate) shortest: bool,
    pub(crate) payload: Vec<u8>,
    /// The first bytes as they came, for the report.
    pub(crate) head: Vec<u8>,
}

/// How many bytes of a frame a report shows.
pub(crate) const SHOWN: usize = 48;

/// Finds frames in a stream.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    bytes: Vec<u8>,
}

impl Parser {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame.
    pub(crate) fn next(&mut self) -> Option<Incoming> {
        let bytes = &self.bytes;
        let (&first, &second) = (bytes.first()?, bytes.get(1)?);
        let masked = second & 0x80 != 0;
        let (length, mut at) = match second & 0x7f {
            126 => (
                u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
                4,
            ),
            127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
            short => (u64::from(short), 2),
        };
        let shortest = match at {
            4 => length > 125,
            10 => length > 0xffff,
            _ => true,
        };
        let mut key = [0; 4];
        if masked {
            key = bytes.get(at..at + 4)?.try_into().ok()?;
            at += 4;
        }
        let end = at.checked_add(usize::try_from(length).ok()?)?;
        let payload = bytes.get(at..end)?;
        let payload = payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key);
        let frame = Incoming {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 7,
            opcode: first & 15,
            masked,
            shortest,
            payload: payload.collect(),
            head: bytes[..end.min(SHOWN)].to_vec(),
        };
        self.bytes.drain(..end);
        Some(frame)
    }
}

/// What a report calls a frame: `text, 5 bytes "hello"`.
pub(crate) fn describe(fin: bool, rsv: u8, opcode: u8, payload: &[u8]) -> String {
    let name = match opcode {
        opcode::CONTINUATION => "continuation".to_owned(),
        opcode::TEXT => "text".to_owned(),
        opcode::BINARY => "binary".to_owned(),
        opcode::CLOSE => return close(payload),
        opcode::PING => "ping".to_owned(),
        opcode::PONG => "pong".to_owned(),
        other => format!("opcode {other}"),
    };
    let more = if fin { "" } else { ", more follow" };
    let bits = match rsv {
        0 => String::new(),
        4 => ", RSV1".to_owned(),
        other => format!(", RSV bits {other:03b}"),
    };
    let text = match std::str::from_utf8(payload) {
        Ok(text) if !payload.is_empty() && payload.len() <= 40 && opcode != opcode::BINARY => {
            format!(" {text:?}")
        }
        _ => String::new(),
    };
    format!("{name}{more}{bits}, {} bytes{text}", payload.len())
}

/// What a report calls a Close frame.
fn close(payload: &[u8]) -> String {
    match payload {
        [] => "Close without a code".to_owned(),
        [_] => "Close with one byte".to_owned(),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            let reason = String::from_utf8_lossy(reason);
            match &*reason {
                "" => format!("Close {code}"),
                reason => format!("Close {code} {reason:?}"),
            }
        }
    }
}

/// The body of a Close frame.
pub(crate) fn close_body(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes()[..], reason].concat()
}
