//! [`OpenFrame`]: a frame whose header is complete and whose payload is not.

use crate::frame::{FrameHeader, HeaderRules, Mask, Opcode};

/// A frame whose header is complete and whose payload is not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenFrame {
    opcode: Opcode,
    fin: bool,
    rsv1: bool,
    is_masked: bool,
    mask: Mask,
    length: u64,
    remaining: u64,
}

/// A frame whose header is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameSnapshot {
    /// The header.
    pub header: FrameHeader,
    /// The masking key, turned so that it starts with the byte to use next.
    pub next_key: Option<[u8; 4]>,
    /// How many bytes of the payload are missing.
    pub remaining: u64,
}

impl OpenFrame {
    #[inline]
    pub(crate) fn new(header: FrameHeader) -> Self {
        Self {
            opcode: header.opcode,
            fin: header.fin,
            rsv1: header.rsv1,
            is_masked: header.masking_key.is_some(),
            mask: Mask::new(header.masking_key.unwrap_or_default()),
            length: header.length,
            remaining: header.length,
        }
    }

    #[inline]
    pub(crate) fn opcode(&self) -> Opcode {
        self.opcode
    }

    /// How many bytes of its payload are missing.
    #[inline]
    pub(crate) fn remaining(&self) -> u64 {
        self.remaining
    }

    /// Whether the message has no further frame.
    #[inline]
    pub(crate) fn is_last(&self) -> bool {
        self.fin
    }

    /// Whether its payload was taken to the last byte.
    #[inline]
    pub(crate) fn is_complete(&self) -> bool {
        self.remaining == 0
    }

    /// Whether the message was taken to the last byte.
    #[inline]
    pub(crate) fn ends_message(&self) -> bool {
        self.fin && self.remaining == 0
    }

    /// How many of `available` bytes belong to it.
    #[inline]
    pub(crate) fn share_of(&self, available: usize) -> usize {
        // No more than what is available, so it fits.
        self.remaining.min(available as u64) as usize
    }

    /// The mask on its payload behind the next `offset` bytes.
    #[inline]
    pub(crate) fn mask_at(&self, offset: usize) -> Mask {
        let mut mask = self.mask;
        mask.skip(offset);
        mask
    }

    /// Takes its next `length` bytes, and returns the mask on them. Without one it changes nothing.
    #[inline]
    pub(crate) fn take_mask(&mut self, length: usize) -> Mask {
        self.remaining -= length as u64;
        let mask = self.mask;
        self.mask.skip(length);
        mask
    }

    pub(crate) fn export(&self) -> FrameSnapshot {
        let done = self.length - self.remaining;
        // The key has turned with every byte, and comes round after four.
        let mut first = self.mask;
        first.skip((4 - done % 4) as usize);
        FrameSnapshot {
            header: FrameHeader {
                fin: self.fin,
                rsv1: self.rsv1,
                opcode: self.opcode,
                masking_key: self.is_masked.then(|| first.next_key()),
                length: self.length,
            },
            next_key: self.is_masked.then(|| self.mask.next_key()),
            remaining: self.remaining,
        }
    }

    /// `None` if there is no such frame.
    pub(crate) fn import(rules: HeaderRules, snapshot: &FrameSnapshot) -> Option<Self> {
        let header = snapshot.header;
        let (wire, end) = header.to_wire();
        let parsed = FrameHeader::parse_by(&wire[..end], rules);
        if parsed != Ok(Some((header, end))) || snapshot.remaining > header.length {
            return None;
        }
        let mut frame = Self::new(header);
        frame.remaining = snapshot.remaining;
        frame
            .mask
            .skip(((header.length - snapshot.remaining) % 4) as usize);
        let next_key = frame.is_masked.then(|| frame.mask.next_key());
        (next_key == snapshot.next_key).then_some(frame)
    }
}
