//! [`Assembler`]: one message out of its fragments.

use bytes::Bytes;

use crate::compression::Compression;
use crate::error::ProtocolError;
use crate::frame::{Chunk, FrameHeader, Mask, Opcode};
use crate::message::{Message, MessageKind, Utf8Bytes, Utf8Stream};
use crate::snapshot::{MessageSnapshot, SnapshotError};

/// The least capacity of a buffer for a message that arrives in pieces, if it is that long.
const FIRST_CAPACITY: u64 = 1024;

/// Puts the fragments of a message together (RFC 6455 section 5.4).
///
/// A message that arrives whole passes through as a slice of the input. Otherwise its pieces are
/// copied, unmasked on the way, so that the driver's buffer is free again; the copy never has more
/// than twice the capacity of what has arrived, whatever the header declares.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    unfinished: Option<MessageKind>,
    compressed: bool,
    buffer: Vec<u8>,
    utf8: Utf8Stream,
}

impl Assembler {
    /// Takes note of the header of a data frame.
    #[inline]
    pub(crate) fn begin(
        &mut self,
        header: &FrameHeader,
        limit: usize,
    ) -> Result<(), ProtocolError> {
        let kind = match header.opcode {
            Opcode::Text => Some(MessageKind::Text),
            Opcode::Binary => Some(MessageKind::Binary),
            Opcode::Continuation => None,
            Opcode::Close | Opcode::Ping | Opcode::Pong => return Ok(()),
        };
        match (self.unfinished, kind) {
            (None, Some(_)) => {
                self.unfinished = kind;
                self.compressed = header.rsv1;
            }
            (Some(_), None) => {}
            // RFC 6455 section 5.4: fragments of two messages are never interleaved.
            (Some(_), Some(_)) => return Err(ProtocolError::ContinuationMissing),
            (None, None) => return Err(ProtocolError::ContinuationUnexpected),
        }
        let got = if self.compressed {
            // What it inflates to is counted while inflating. The compressed form of a message
            // within the limit is hardly longer than the message.
            header.length.saturating_sub(compressed_allowance(limit))
        } else {
            header.length
        };
        // RFC 6455 section 10.4: the limit holds for the frame and for the message.
        check_limit(got.saturating_add(self.buffer.len() as u64), limit)
    }

    /// Takes the next piece of the message. The last one yields the message.
    #[inline]
    pub(crate) fn push(
        &mut self,
        chunk: Chunk,
        compression: Option<&mut Compression>,
        limit: usize,
    ) -> Result<Option<Message>, ProtocolError> {
        let Some(kind) = self.unfinished else {
            return Err(ProtocolError::ContinuationUnexpected);
        };
        let ends = chunk.ends_message();
        if self.compressed {
            return self.inflate(kind, chunk, compression, limit);
        }
        if ends && self.buffer.is_empty() && self.utf8.cut().is_empty() {
            let payload = chunk.into_plain();
            if kind == MessageKind::Text {
                Utf8Stream::check_whole(&payload)?;
            }
            self.unfinished = None;
            return Ok(Some(message(kind, payload.freeze())));
        }
        // Nothing comes behind the last fragment.
        let missing = chunk.header.fin.then_some(chunk.missing);
        self.append(kind, &chunk.payload, chunk.mask, missing)?;
        if !ends {
            return Ok(None);
        }
        self.utf8.finish()?;
        self.unfinished = None;
        Ok(Some(message(kind, std::mem::take(&mut self.buffer).into())))
    }

    /// Whether a message has begun and not ended.
    pub(crate) fn is_inside_message(&self) -> bool {
        self.unfinished.is_some()
    }

    /// Takes a piece that ends neither its frame nor the message, if it may stand there: without
    /// it, nothing has changed. Of the frame, `behind` bytes come after it.
    pub(crate) fn push_inner(
        &mut self,
        header: &FrameHeader,
        piece: &[u8],
        mask: Option<Mask>,
        behind: u64,
    ) -> bool {
        let Some(kind) = self.unfinished.filter(|_| !self.compressed) else {
            return false;
        };
        let (length, utf8) = (self.buffer.len(), self.utf8);
        let taken = self.append(kind, piece, mask, header.fin.then_some(behind));
        if taken.is_err() {
            self.buffer.truncate(length);
            self.utf8 = utf8;
        }
        taken.is_ok()
    }

    /// Copies a piece. If it is known, `missing` is what comes of the message behind it.
    fn append(
        &mut self,
        kind: MessageKind,
        piece: &[u8],
        mask: Option<Mask>,
        missing: Option<u64>,
    ) -> Result<(), ProtocolError> {
        let start = self.buffer.len();
        let end = start + piece.len();
        if end > self.buffer.capacity() {
            // Doubling bounds the copies, whatever the size of the fragments.
            let mut capacity = (2 * end as u64).max(FIRST_CAPACITY);
            if let Some(missing) = missing {
                capacity = capacity.min(end as u64 + missing);
            }
            self.buffer.reserve_exact(capacity as usize - start);
        }
        match mask {
            None => self.buffer.extend_from_slice(piece),
            Some(mut mask) => mask.append(piece, &mut self.buffer),
        }
        if kind == MessageKind::Text {
            self.utf8.push(&self.buffer[start..])?;
        }
        Ok(())
    }

    /// The next piece of a compressed message.
    fn inflate(
        &mut self,
        kind: MessageKind,
        chunk: Chunk,
        compression: Option<&mut Compression>,
        limit: usize,
    ) -> Result<Option<Message>, ProtocolError> {
        // The header check lets RSV1 through only where compression was agreed on.
        let Some(compression) = compression else {
            return Err(ProtocolError::ReservedBits { bits: 0b100 });
        };
        let ends = chunk.ends_message();
        let start = compression.inflated().len();
        let result = compression.inflate(&chunk.into_plain(), ends, limit);
        // What was inflated before an error comes first in the message, so a bad byte in it is what
        // is told, however the message was cut into pieces.
        if kind == MessageKind::Text {
            self.utf8.push(&compression.inflated()[start..])?;
        }
        result?;
        if !ends {
            return Ok(None);
        }
        self.utf8.finish()?;
        self.unfinished = None;
        Ok(Some(message(kind, compression.take_inflated())))
    }

    pub(crate) fn export(&self) -> Option<MessageSnapshot> {
        let kind = self.unfinished?;
        Some(MessageSnapshot {
            kind,
            compressed: self.compressed,
            // The plain bytes of a compressed message follow from the compressed ones.
            received: if self.compressed {
                Vec::new()
            } else {
                self.buffer.clone()
            },
        })
    }

    pub(crate) fn import(
        snapshot: Option<&MessageSnapshot>,
        compression: Option<&Compression>,
        limit: usize,
    ) -> Result<Self, SnapshotError> {
        let mut assembler = Self::default();
        let Some(snapshot) = snapshot else {
            return Ok(assembler);
        };
        let refused = |_: ProtocolError| SnapshotError::Inconsistent;
        assembler.unfinished = Some(snapshot.kind);
        assembler.compressed = snapshot.compressed;
        let received = if snapshot.compressed {
            compression.ok_or(SnapshotError::Inconsistent)?.inflated()
        } else {
            check_limit(snapshot.received.len() as u64, limit).map_err(refused)?;
            assembler.buffer.extend_from_slice(&snapshot.received);
            &snapshot.received
        };
        if snapshot.kind == MessageKind::Text {
            assembler.utf8.push(received).map_err(refused)?;
        }
        Ok(assembler)
    }
}

#[inline]
fn message(kind: MessageKind, payload: Bytes) -> Message {
    match kind {
        MessageKind::Text => Message::Text(Utf8Bytes::checked(payload)),
        MessageKind::Binary => Message::Binary(payload),
    }
}

#[inline]
fn check_limit(got: u64, limit: usize) -> Result<(), ProtocolError> {
    let allowed = limit as u64;
    if got > allowed {
        return Err(ProtocolError::MessageTooBig { got, allowed });
    }
    Ok(())
}

/// How much longer than the limit a frame of a compressed message may be: stored blocks have five
/// bytes of header for each block, and a sender may flush often.
pub(crate) fn compressed_allowance(limit: usize) -> u64 {
    limit as u64 / 8 + 1024
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;

    /// A frame of one byte.
    fn chunk(opcode: Opcode, fin: bool) -> Chunk {
        let header = FrameHeader {
            fin,
            rsv1: false,
            opcode,
            masking_key: None,
            length: 1,
        };
        Chunk {
            header,
            payload: BytesMut::from(&b"x"[..]),
            mask: None,
            missing: 0,
        }
    }

    #[test]
    fn a_message_in_fragments_of_one_byte_is_copied_a_few_times_only() {
        let mut assembler = Assembler::default();
        let mut grown = 0;
        for number in 0..100_000 {
            let opcode = match number {
                0 => Opcode::Binary,
                _ => Opcode::Continuation,
            };
            let chunk = chunk(opcode, false);
            let before = assembler.buffer.capacity();
            assembler.begin(&chunk.header, 200_000).unwrap();
            assert_eq!(assembler.push(chunk, None, 200_000), Ok(None));
            let after = assembler.buffer.capacity();
            grown += usize::from(after != before);
            assert!(after <= 1024.max(2 * assembler.buffer.len()));
        }
        assert!(grown < 20, "{grown}");
        let last = chunk(Opcode::Continuation, true);
        assembler.begin(&last.header, 200_000).unwrap();
        let message = assembler.push(last, None, 200_000).unwrap();
        assert_eq!(
            message.map(|message| message.as_bytes().len()),
            Some(100_001)
        );
        assert!(!assembler.is_inside_message());
    }
}
