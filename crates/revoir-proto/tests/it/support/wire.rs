//! Frames by the letter of RFC 6455 section 5.2, written without the crate under test.

use revoir_proto::{CloseCode, Role};

pub(crate) const FIN: u8 = 0x80;
pub(crate) const RSV1: u8 = 0x40;
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

const KEY: [u8; 4] = [0xA1, 0x52, 0x00, 0x7F];

/// A frame as an endpoint with role `sender` sends it. `first` is its first byte.
pub(crate) fn frame(sender: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = if sender == Role::Client { 0x80 } else { 0 };
    let mut wire = vec![first];
    match payload.len() {
        length @ 0..126 => wire.push(mask | length as u8),
        length @ 126..0x1_0000 => {
            wire.push(mask | 126);
            wire.extend((length as u16).to_be_bytes());
        }
        length => {
            wire.push(mask | 127);
            wire.extend((length as u64).to_be_bytes());
        }
    }
    if sender == Role::Client {
        wire.extend(KEY);
        wire.extend(
            payload
                .iter()
                .enumerate()
                .map(|(i, byte)| byte ^ KEY[i % 4]),
        );
    } else {
        wire.extend(payload);
    }
    wire
}

/// The payload of a Close frame.
pub(crate) fn close_payload(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend(reason.as_bytes());
    payload
}

/// A frame as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WireFrame {
    pub(crate) first: u8,
    pub(crate) masked: bool,
    pub(crate) payload: Vec<u8>,
}

impl WireFrame {
    pub(crate) fn new(sender: Role, first: u8, payload: &[u8]) -> Self {
        let (masked, payload) = (sender == Role::Client, payload.to_vec());
        Self {
            first,
            masked,
            payload,
        }
    }

    pub(crate) fn opcode(&self) -> u8 {
        self.first & 0x0F
    }

    /// The code in a Close frame.
    pub(crate) fn close_code(&self) -> Option<CloseCode> {
        assert_eq!(self.opcode(), CLOSE);
        let code = self.payload.first_chunk()?;
        Some(CloseCode::new(u16::from_be_bytes(*code)))
    }
}

/// Takes whole frames apart. Panics on anything else.
pub(crate) fn parse_frames(mut wire: &[u8]) -> Vec<WireFrame> {
    let mut frames = Vec::new();
    while !wire.is_empty() {
        let (first, masked) = (wire[0], wire[1] & 0x80 != 0);
        let (length, mut at) = match wire[1] & 0x7F {
            126 => (usize::from(u16::from_be_bytes([wire[2], wire[3]])), 4),
            127 => (
                u64::from_be_bytes(*wire[2..].first_chunk().unwrap()) as usize,
                10,
            ),
            length => (usize::from(length), 2),
        };
        let mut key = [0; 4];
        if masked {
            key.copy_from_slice(&wire[at..at + 4]);
            at += 4;
        }
        let payload = &wire[at..at + length];
        let payload = payload
            .iter()
            .enumerate()
            .map(|(i, byte)| byte ^ key[i % 4])
            .collect();
        frames.push(WireFrame {
            first,
            masked,
            payload,
        });
        wire = &wire[at + length..];
    }
    frames
}
