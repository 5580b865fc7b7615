//! Frames as the peer writes them, and a check of the frames that a connection writes.

use bytes::Bytes;
use revoir_proto::Role;

pub const CONTINUATION: u8 = 0x0;
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xA;
pub const FIN: u8 = 0x80;
pub const RSV1: u8 = 0x40;

/// A frame as `sender` writes it, with `first` as its first byte, right or wrong.
#[must_use]
pub fn frame(sender: Role, first: u8, key: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let masks = sender == Role::Client;
    let mask_bit = if masks { 0x80 } else { 0 };
    let mut wire = vec![first];
    match payload.len() {
        short @ 0..=125 => wire.push(mask_bit | short as u8),
        medium @ 126..=0xFFFF => {
            wire.push(mask_bit | 126);
            wire.extend((medium as u16).to_be_bytes());
        }
        long => {
            wire.push(mask_bit | 127);
            wire.extend((long as u64).to_be_bytes());
        }
    }
    if masks {
        wire.extend(key);
        wire.extend(payload.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k));
    } else {
        wire.extend(payload);
    }
    wire
}

/// A frame that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub first: u8,
    pub payload: Bytes,
}

impl Written {
    #[must_use]
    pub fn opcode(&self) -> u8 {
        self.first & 0x0F
    }
}

/// Takes what a connection writes apart, and panics where RFC 6455 section 5 is broken.
#[derive(Debug)]
pub struct Checker {
    sender: Role,
    compression: bool,
    bytes: Vec<u8>,
    inside_message: bool,
    pub closed: bool,
}

impl Checker {
    #[must_use]
    pub fn new(sender: Role, compression: bool) -> Self {
        Self {
            sender,
            compression,
            bytes: Vec::new(),
            inside_message: false,
            closed: false,
        }
    }

    /// The frames that `bytes` complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Written> {
        assert!(
            !self.closed || bytes.is_empty(),
            "bytes after the Close frame"
        );
        self.bytes.extend_from_slice(bytes);
        let mut frames = Vec::new();
        let mut at = 0;
        while let Some((frame, length)) = self.parse(&self.bytes[at..]) {
            at += length;
            self.check(&frame);
            frames.push(frame);
        }
        self.bytes.drain(..at);
        assert!(
            !self.closed || self.bytes.is_empty(),
            "bytes after the Close frame"
        );
        frames
    }

    fn parse(&self, bytes: &[u8]) -> Option<(Written, usize)> {
        let (&first, &second) = (bytes.first()?, bytes.get(1)?);
        let masked = second & 0x80 != 0;
        assert_eq!(masked, self.sender == Role::Client, "masking by role");
        let (length, mut at) = match second & 0x7F {
            126 => {
                let length = u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
                assert!(length > 125, "shortest length");
                (length.into(), 4)
            }
            127 => {
                let length = u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
                assert!(length > 0xFFFF && length >> 63 == 0, "shortest length");
                (length, 10)
            }
            short => (u64::from(short), 2),
        };
        let mut key = [0; 4];
        if masked {
            key = *bytes.get(at..)?.first_chunk()?;
            at += 4;
        }
        let end = at + length as usize;
        let payload = bytes.get(at..end)?.iter().zip(key.iter().cycle());
        let payload = payload.map(|(byte, key)| byte ^ key).collect();
        Some((Written { first, payload }, end))
    }

    fn check(&mut self, frame: &Written) {
        assert!(!self.closed, "a frame after the Close frame");
        let fin = frame.first & FIN != 0;
        assert_eq!(frame.first & 0x30, 0, "RSV2 and RSV3");
        if frame.first & RSV1 != 0 {
            assert!(self.compression, "RSV1 without permessage-deflate");
            assert!(matches!(frame.opcode(), TEXT | BINARY), "RSV1");
        }
        match frame.opcode() {
            CONTINUATION => assert!(self.inside_message, "continuation of nothing"),
            TEXT | BINARY => assert!(!self.inside_message, "interleaved message"),
            CLOSE | PING | PONG => {
                assert!(fin && frame.payload.len() <= 125, "control frame");
                self.closed = frame.opcode() == CLOSE;
                return;
            }
            reserved => panic!("opcode {reserved}"),
        }
        self.inside_message = !fin;
    }
}
