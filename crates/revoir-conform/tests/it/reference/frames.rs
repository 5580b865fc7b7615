//! Frames and compression of the reference peer, written without a look at the suite's own.

use flate2::{Decompress, FlushDecompress, Status};

/// The header of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) rsv: u8,
    pub(super) opcode: u8,
    pub(super) key: Option<[u8; 4]>,
    pub(super) length: u64,
    /// How long the header is.
    pub(super) size: usize,
}

impl Header {
    /// Whether its length is written in the shortest form.
    pub(super) const fn is_shortest(&self) -> bool {
        let key = if self.key.is_some() { 4 } else { 0 };
        match self.size - key {
            4 => self.length > 125,
            10 => self.length > 65535,
            _ => true,
        }
    }
}

/// The header at the beginning, if it is whole. Before the key is there, everything else is
/// known: `key` is then zero, and `size` more than there is.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (length, mut size) = match second & 127 {
        126 => (
            u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
            4,
        ),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        short => (u64::from(short), 2),
    };
    let mut key = None;
    if second & 128 != 0 {
        let read = bytes
            .get(size..size + 4)
            .and_then(|key| key.try_into().ok());
        key = Some(read.unwrap_or_default());
        size += 4;
    }
    Some(Header {
        fin: first & 128 != 0,
        rsv: first >> 4 & 7,
        opcode: first & 15,
        key,
        length,
        size,
    })
}

/// A whole frame that is not compressed.
pub(super) fn frame(opcode: u8, payload: &[u8], is_masked: bool) -> Vec<u8> {
    let mut bytes = vec![128 | opcode];
    let mask = if is_masked { 128 } else { 0 };
    match payload.len() {
        length @ ..=125 => bytes.push(mask | u8::try_from(length).expect("it is small")),
        length @ ..=65535 => {
            bytes.push(mask | 126);
            bytes.extend(u16::try_from(length).expect("it is small").to_be_bytes());
        }
        length => {
            bytes.push(mask | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    if !is_masked {
        bytes.extend(payload);
        return bytes;
    }
    let key = fastrand::u32(..).to_be_bytes();
    bytes.extend(key);
    bytes.extend(
        payload
            .iter()
            .enumerate()
            .map(|(at, byte)| byte ^ key[at % 4]),
    );
    bytes
}

/// The inflating side of permessage-deflate.
pub(super) struct Inflate {
    state: Decompress,
}

pub(super) enum Inflated {
    Message(Vec<u8>, bool),
    Bad,
    TooBig,
}

impl Inflate {
    pub(super) fn new() -> Self {
        Self {
            state: Decompress::new(false),
        }
    }

    pub(super) fn forget(&mut self) {
        self.state.reset(false);
    }

    /// The message, and whether it had a final block.
    pub(super) fn message(&mut self, payload: &[u8], limit: usize) -> Inflated {
        let mut input = payload.to_vec();
        input.extend([0, 0, 255, 255]);
        let (mut at, mut out, mut had_final) = (0, Vec::new(), false);
        loop {
            let mut chunk = vec![0; 32 * 1024];
            let (before_in, before_out) = (self.state.total_in(), self.state.total_out());
            let Ok(status) = self
                .state
                .decompress(&input[at..], &mut chunk, FlushDecompress::Sync)
            else {
                return Inflated::Bad;
            };
            let read = usize::try_from(self.state.total_in() - before_in).expect("it fits");
            let written = usize::try_from(self.state.total_out() - before_out).expect("it fits");
            at += read;
            out.extend(&chunk[..written]);
            if out.len() > limit {
                return Inflated::TooBig;
            }
            if status == Status::StreamEnd {
                had_final = true;
                self.state.reset(false);
                // What is left is an empty block, at most.
                return Inflated::Message(out, had_final);
            }
            if read == 0 && written == 0 || at == input.len() && written < chunk.len() {
                return Inflated::Message(out, had_final);
            }
        }
    }
}
