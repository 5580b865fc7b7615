//! [`Assembler`]: one message out of its fragments.

use bytes::Bytes;

use crate::compression::Compression;
use crate::error::{ProtocolError, SnapshotError};
use crate::frame::{Chunk, FrameHeader, Opcode, Piece};
use crate::message::{Message, MessageKind, Utf8Bytes, Utf8Stream};

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

/// An unfinished message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSnapshot {
    /// Its kind.
    pub kind: MessageKind,
    /// Whether it is compressed. Its bytes are then in [`CompressionSnapshot::unfinished`].
    pub compressed: bool,
    /// What has arrived of it, without mask.
    pub received: Vec<u8>,
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

    /// Whether `piece` is to be copied where it is. A message that arrives whole is not, nor is what
    /// has to be inflated: they are for [`push`](Self::push).
    #[inline]
    pub(crate) fn copies(&self, piece: &Piece) -> bool {
        let is_whole = piece.ends_message() && self.buffer.is_empty() && self.utf8.cut().is_empty();
        !self.compressed && !is_whole
    }

    /// Copies `bytes`, which are the next `piece`. The last one yields the message.
    #[inline]
    pub(crate) fn append(
        &mut self,
        piece: &Piece,
        bytes: &[u8],
    ) -> Result<Option<Message>, ProtocolError> {
        let Some(kind) = self.unfinished else {
            return Err(ProtocolError::ContinuationUnexpected);
        };
        self.grow_by(piece);
        let start = self.buffer.len();
        match piece.mask {
            None => self.buffer.extend_from_slice(bytes),
            Some(mut mask) => mask.append(bytes, &mut self.buffer),
        }
        if kind == MessageKind::Text {
            self.utf8.push(&self.buffer[start..])?;
        }
        if !piece.ends_message() {
            return Ok(None);
        }
        self.utf8.finish()?;
        self.unfinished = None;
        Ok(Some(message(kind, std::mem::take(&mut self.buffer).into())))
    }

    /// Copies `bytes`, which are the next `piece` and do not end the message, if they may stand
    /// there. Without it, nothing has changed.
    pub(crate) fn try_append(&mut self, piece: &Piece, bytes: &[u8]) -> bool {
        let (length, utf8) = (self.buffer.len(), self.utf8);
        let taken = self.append(piece, bytes);
        if taken.is_err() {
            self.buffer.truncate(length);
            self.utf8 = utf8;
        }
        taken.is_ok()
    }

    /// Makes room for `piece`, and for what is sure to come with it.
    #[inline]
    fn grow_by(&mut self, piece: &Piece) {
        let start = self.buffer.len();
        let end = start + piece.length;
        if end > self.buffer.capacity() {
            // Doubling bounds the copies, whatever the size of the fragments.
            let mut capacity = (2 * end as u64).max(FIRST_CAPACITY);
            // Nothing comes behind the last fragment.
            if piece.header.fin {
                capacity = capacity.min(end as u64 + piece.missing);
            }
            self.buffer.reserve_exact(capacity as usize - start);
        }
    }

    /// Takes a message that arrived whole, or the next piece of one that is compressed. The last
    /// one yields the message.
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
        if self.compressed {
            return self.inflate(kind, chunk, compression, limit);
        }
        let payload = chunk.into_plain();
        if kind == MessageKind::Text {
            Utf8Stream::check_whole(&payload)?;
        }
        self.unfinished = None;
        Ok(Some(message(kind, payload.freeze())))
    }

    /// Whether a message has begun and not ended.
    pub(crate) fn is_inside_message(&self) -> bool {
        self.unfinished.is_some()
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
        let ends = chunk.header.fin && chunk.missing == 0;
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
    use super::*;

    /// A frame of one byte.
    fn piece(opcode: Opcode, fin: bool) -> Piece {
        let header = FrameHeader {
            fin,
            rsv1: false,
            opcode,
            masking_key: None,
            length: 1,
        };
        Piece {
            header,
            mask: None,
            length: 1,
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
            let piece = piece(opcode, false);
            let before = assembler.buffer.capacity();
            assembler.begin(&piece.header, 200_000).unwrap();
            assert_eq!(assembler.append(&piece, b"x"), Ok(None));
            let after = assembler.buffer.capacity();
            grown += usize::from(after != before);
            assert!(after <= 1024.max(2 * assembler.buffer.len()));
        }
        assert!(grown < 20, "{grown}");
        let last = piece(Opcode::Continuation, true);
        assembler.begin(&last.header, 200_000).unwrap();
        let message = assembler.append(&last, b"x").unwrap();
        assert_eq!(
            message.map(|message| message.as_bytes().len()),
            Some(100_001)
        );
        assert!(!assembler.is_inside_message());
    }
}
