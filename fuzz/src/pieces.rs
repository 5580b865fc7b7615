//! How a transport cuts bytes.

use crate::random::SharedRandom;

/// The ways of cutting that every stream target compares: whole, byte by byte, and at random.
#[must_use]
pub fn cuts(pattern: u8) -> [Cut; 3] {
    [Cut::Whole, Cut::Bytes, Cut::Random(pattern)]
}

/// A way of cutting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Whole,
    Bytes,
    Random(u8),
}

impl Cut {
    /// `data` in pieces, none of them empty.
    #[must_use]
    pub fn apply(self, data: &[u8]) -> Vec<&[u8]> {
        match self {
            Self::Whole => data.chunks(data.len().max(1)).collect(),
            Self::Bytes => data.chunks(1).collect(),
            Self::Random(pattern) => {
                let random = SharedRandom::new(pattern.into());
                // Short pieces with some patterns, long ones with others.
                let longest = 1 << (1 + u32::from(pattern) % 12);
                let mut rest = data;
                let mut pieces = Vec::new();
                while !rest.is_empty() {
                    let length = 1 + random.next_u64() as usize % longest;
                    let (piece, after) = rest.split_at(length.min(rest.len()));
                    pieces.push(piece);
                    rest = after;
                }
                pieces
            }
        }
    }
}

/// The first `N` bytes of an input, which steer the target, and the rest, which is its data.
#[must_use]
pub fn steered<const N: usize>(data: &[u8]) -> Option<([u8; N], &[u8])> {
    let (steering, rest) = data.split_first_chunk()?;
    Some((*steering, rest))
}

/// Up to 16 messages: two bytes of length each, the lower one first, and as many bytes.
#[must_use]
pub fn messages(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while let Some(([low, high], rest)) = bytes.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (message, rest) = rest.split_at(length);
        messages.push(message);
        bytes = rest;
        if messages.len() == 16 {
            break;
        }
    }
    messages
}
