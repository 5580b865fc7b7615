//! [`Decoder`]: frames out of bytes that arrive in any portions.

use bytes::{Buf, BytesMut};

use crate::error::{ProtocolError, SnapshotError};
use crate::frame::{CONTROL_MAX_BYTES, FrameHeader, HeaderRules, MAX_HEADER_BYTES, Mask};

/// Takes frames apart: first the header, then the payload, as far as bytes are there.
///
/// It owns no buffer: the start of a header is kept in place, the payload of a data frame is
/// handed out piece by piece. Only the payload of a control frame that was cut by the transport
/// is kept, since control frames are delivered whole.
#[derive(Debug)]
pub(crate) struct Decoder {
    rules: HeaderRules,
    head: [u8; MAX_HEADER_BYTES],
    head_len: u8,
    frame: Option<OpenFrame>,
    /// The payload so far of a control frame that was cut by the transport.
    #[expect(
        clippy::box_collection,
        reason = "8 bytes instead of 24 in every connection"
    )]
    control: Option<Box<Vec<u8>>>,
}

/// A frame whose header is complete and whose payload is not.
#[derive(Clone, Copy, Debug)]
struct OpenFrame {
    header: FrameHeader,
    mask: Option<Mask>,
    remaining: u64,
}

/// The payload of a frame, or a piece of it. It is still masked if there is a mask.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) header: FrameHeader,
    pub(crate) payload: BytesMut,
    pub(crate) mask: Option<Mask>,
    /// How many bytes of the frame come behind it.
    pub(crate) missing: u64,
}

/// A piece of a data frame's payload, wherever its bytes are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) header: FrameHeader,
    pub(crate) mask: Option<Mask>,
    pub(crate) length: usize,
    /// How many bytes of the frame come behind it.
    pub(crate) missing: u64,
}

/// An unfinished frame, or nothing of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecoderSnapshot {
    /// The start of a header.
    pub head: Vec<u8>,
    /// A frame whose header is complete.
    pub frame: Option<FrameSnapshot>,
    /// The start of a control frame's payload, still masked.
    pub control: Vec<u8>,
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

impl Piece {
    /// Whether the message ends here.
    #[inline]
    pub(crate) fn ends_message(&self) -> bool {
        self.header.fin && self.missing == 0
    }
}

impl Chunk {
    /// The payload without its mask.
    #[inline]
    pub(crate) fn into_plain(self) -> BytesMut {
        let mut payload = self.payload;
        if let Some(mut mask) = self.mask {
            mask.apply(&mut payload);
        }
        payload
    }
}

impl Decoder {
    pub(crate) fn new(rules: HeaderRules) -> Self {
        Self {
            rules,
            head: [0; MAX_HEADER_BYTES],
            head_len: 0,
            frame: None,
            control: None,
        }
    }

    pub(crate) fn rules(&self) -> HeaderRules {
        self.rules
    }

    /// Whether a header was read whose payload is still to be taken.
    #[inline]
    pub(crate) fn has_header(&self) -> bool {
        self.frame.is_some()
    }

    /// Whether the bytes so far end inside a frame.
    pub(crate) fn is_inside_frame(&self) -> bool {
        self.head_len > 0 || self.frame.is_some()
    }

    /// Whether the payload of a data frame is unfinished.
    pub(crate) fn is_inside_data_frame(&self) -> bool {
        self.frame
            .is_some_and(|frame| !frame.header.opcode.is_control())
    }

    /// Reads a header. Without one, all of `input` was taken.
    #[inline]
    pub(crate) fn poll_header(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<FrameHeader>, ProtocolError> {
        let header = if self.head_len > 0 {
            self.complete_head(input)?
        } else if let Some((header, taken)) = FrameHeader::parse_by(input, self.rules)? {
            input.advance(taken);
            Some(header)
        } else {
            self.keep_head(input);
            None
        };
        if let Some(header) = header {
            self.frame = Some(OpenFrame {
                header,
                mask: header.masking_key.map(Mask::new),
                remaining: header.length,
            });
        }
        Ok(header)
    }

    /// Takes payload of the frame whose header was read: whole for a control frame, as much as
    /// there is for a data frame. Without a chunk, all of `input` was taken.
    #[inline]
    pub(crate) fn poll_payload(&mut self, input: &mut BytesMut) -> Option<Chunk> {
        let frame = self.frame.as_mut()?;
        let available = input.len() as u64;
        if frame.header.opcode.is_control()
            && (available < frame.remaining || self.control.is_some())
        {
            return self.poll_cut_control(input);
        }
        let OpenFrame {
            header,
            mask,
            remaining,
        } = *frame;
        if available > remaining {
            // `remaining` is less than the length of a buffer, so it fits.
            let payload = input.split_to(remaining as usize);
            self.frame = None;
            return Some(Chunk {
                header,
                payload,
                mask,
                missing: 0,
            });
        }
        if available == 0 && remaining > 0 {
            return None;
        }
        // The buffer goes along, so that an idle connection keeps none.
        let payload = std::mem::take(input);
        let missing = remaining - available;
        if missing == 0 {
            self.frame = None;
        } else {
            frame.remaining = missing;
            if let Some(mask) = &mut frame.mask {
                mask.skip(payload.len());
            }
        }
        Some(Chunk {
            header,
            payload,
            mask,
            missing,
        })
    }

    /// What the next `available` bytes have of the payload of the data frame whose header was read.
    /// It stays where it is; [`skip`](Self::skip) takes it.
    #[inline]
    pub(crate) fn next_piece(&self, available: usize) -> Option<Piece> {
        let frame = self
            .frame
            .filter(|frame| !frame.header.opcode.is_control())?;
        let length = frame.remaining.min(available as u64);
        Some(Piece {
            header: frame.header,
            mask: frame.mask,
            // No longer than what is available.
            length: length as usize,
            missing: frame.remaining - length,
        })
    }

    /// Takes note that `piece` was taken, as it was found.
    #[inline]
    pub(crate) fn skip(&mut self, piece: &Piece) {
        if piece.missing == 0 {
            self.frame = None;
        } else if let Some(frame) = &mut self.frame {
            frame.remaining = piece.missing;
            if let Some(mask) = &mut frame.mask {
                mask.skip(piece.length);
            }
        }
    }

    /// Collects the payload of a control frame that arrives in pieces: at most 125 bytes.
    #[cold]
    fn poll_cut_control(&mut self, input: &mut BytesMut) -> Option<Chunk> {
        let frame = self.frame.as_mut()?;
        let missing = frame.remaining as usize;
        let piece = input.split_to(missing.min(input.len()));
        let control = self.control.get_or_insert_default();
        control.extend_from_slice(&piece);
        frame.remaining -= piece.len() as u64;
        if frame.remaining > 0 {
            *input = BytesMut::new();
            return None;
        }
        let OpenFrame { header, mask, .. } = *frame;
        self.frame = None;
        let payload = BytesMut::from(&***control);
        self.control = None;
        Some(Chunk {
            header,
            payload,
            mask,
            missing: 0,
        })
    }

    pub(crate) fn export(&self) -> DecoderSnapshot {
        DecoderSnapshot {
            head: self.head[..usize::from(self.head_len)].to_vec(),
            frame: self.frame.map(|frame| FrameSnapshot {
                header: frame.header,
                next_key: frame.mask.map(Mask::next_key),
                remaining: frame.remaining,
            }),
            control: self.control.as_deref().cloned().unwrap_or_default(),
        }
    }

    pub(crate) fn import(
        rules: HeaderRules,
        snapshot: &DecoderSnapshot,
    ) -> Result<Self, SnapshotError> {
        let mut decoder = Self::new(rules);
        let head = &snapshot.head;
        // What was kept is the start of a header and nothing more.
        let incomplete = matches!(FrameHeader::parse_by(head, rules), Ok(None));
        if !incomplete || (!head.is_empty() && snapshot.frame.is_some()) {
            return Err(SnapshotError::Inconsistent);
        }
        decoder.head[..head.len()].copy_from_slice(head);
        decoder.head_len = head.len() as u8;
        decoder.frame = snapshot
            .frame
            .map(|frame| frame.import(rules))
            .transpose()?;
        let collected = decoder
            .frame
            .map_or(0, |frame| match frame.header.opcode.is_control() {
                true => frame.header.length - frame.remaining,
                false => 0,
            });
        if snapshot.control.len() as u64 != collected || snapshot.control.len() > CONTROL_MAX_BYTES
        {
            return Err(SnapshotError::Inconsistent);
        }
        if !snapshot.control.is_empty() {
            decoder.control = Some(Box::new(snapshot.control.clone()));
        }
        Ok(decoder)
    }

    #[cold]
    fn keep_head(&mut self, input: &mut BytesMut) {
        // An incomplete header is shorter than the longest one.
        let length = input.len().min(MAX_HEADER_BYTES);
        self.head[..length].copy_from_slice(&input[..length]);
        self.head_len = length as u8;
        *input = BytesMut::new();
    }

    #[cold]
    fn complete_head(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<FrameHeader>, ProtocolError> {
        let had = usize::from(self.head_len);
        let added = input.len().min(MAX_HEADER_BYTES - had);
        let end = had + added;
        self.head[had..end].copy_from_slice(&input[..added]);
        let Some((header, taken)) = FrameHeader::parse_by(&self.head[..end], self.rules)? else {
            self.head_len = end as u8;
            *input = BytesMut::new();
            return Ok(None);
        };
        // What was kept was not a header yet, so `taken` is more than `had`.
        input.advance(taken.saturating_sub(had));
        self.head_len = 0;
        Ok(Some(header))
    }
}

impl FrameSnapshot {
    fn import(self, rules: HeaderRules) -> Result<OpenFrame, SnapshotError> {
        let (wire, end) = self.header.to_wire();
        let parsed = FrameHeader::parse_by(&wire[..end], rules);
        if parsed != Ok(Some((self.header, end)))
            || self.next_key.is_some() != self.header.masking_key.is_some()
            || self.remaining > self.header.length
        {
            return Err(SnapshotError::Inconsistent);
        }
        Ok(OpenFrame {
            header: self.header,
            mask: self.next_key.map(Mask::new),
            remaining: self.remaining,
        })
    }
}
