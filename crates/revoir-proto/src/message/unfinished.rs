//! [`Unfinished`]: the message that has begun and not ended.

use bytes::BytesMut;
use bytes::buf::{BufMut, Limit};

use crate::error::ProtocolError;
use crate::frame::{FrameHeader, Mask, Opcode, OpenFrame};
use crate::message::{Message, MessageKind, Utf8Stream};

/// The least capacity of a message's memory, if it is that long.
const FIRST_CAPACITY: usize = 1024;

/// What is shorter is not worth a read of its own: it is read together with what comes behind it,
/// and copied. Inputs of a fuzzer are short.
const STRAIGHT_FROM: usize = if cfg!(fuzzing) { 16 } else { 2048 };

/// How far a read may go beyond the end of a frame. One that does not fill its room tells that
/// nothing more is there; what came beyond is copied.
const BEYOND: usize = 256;

/// A message between its first byte and its last (RFC 6455 section 5.4).
///
/// Its memory has at most twice the capacity of what has arrived, whatever a header declares.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    kind: Option<MessageKind>,
    is_compressed: bool,
    utf8: Utf8Stream,
    /// Plain bytes, and behind them payload of the open frame as it arrived.
    buffer: Vec<u8>,
    plain: usize,
}

/// An unfinished message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageSnapshot {
    /// Its kind.
    pub kind: MessageKind,
    /// Whether it is compressed. Its bytes are then in
    /// [`CompressionSnapshot::unfinished`](crate::CompressionSnapshot::unfinished).
    pub compressed: bool,
    /// What has arrived of it, without mask.
    pub received: Vec<u8>,
}

impl Unfinished {
    /// Takes note of the header of a data frame.
    #[inline]
    pub(crate) fn begin(
        &mut self,
        header: &FrameHeader,
        limit: usize,
    ) -> Result<(), ProtocolError> {
        let (kind, is_compressed) = match (self.kind, header.opcode) {
            (None, Opcode::Text) => (MessageKind::Text, header.rsv1),
            (None, Opcode::Binary) => (MessageKind::Binary, header.rsv1),
            (Some(kind), Opcode::Continuation) => (kind, self.is_compressed),
            // RFC 6455 section 5.4: fragments of two messages are never interleaved.
            (Some(_), _) => return Err(ProtocolError::ContinuationMissing),
            (None, _) => return Err(ProtocolError::ContinuationUnexpected),
        };
        let got = if is_compressed {
            // What it inflates to is counted while inflating. The compressed form of a message
            // within the limit is hardly longer than the message.
            header.length.saturating_sub(compressed_allowance(limit))
        } else {
            header.length.saturating_add(self.plain as u64)
        };
        // RFC 6455 section 10.4: the limit holds for the frame and for the message.
        check_limit(got, limit)?;
        (self.kind, self.is_compressed) = (Some(kind), is_compressed);
        Ok(())
    }

    /// Whether its frames have to be inflated.
    #[inline]
    pub(crate) fn is_compressed(&self) -> bool {
        self.is_compressed
    }

    /// Payload that has arrived and was not looked at.
    #[inline]
    pub(crate) fn arrived(&self) -> &[u8] {
        &self.buffer[self.plain..]
    }

    /// How much of the payload of `frame` has not arrived.
    #[inline]
    fn missing(&self, frame: &OpenFrame) -> u64 {
        frame.remaining() - self.arrived().len() as u64
    }

    /// Where the payload of `frame` is read to, and a little beyond. `None` if that is not worth a
    /// read.
    pub(crate) fn room(&mut self, frame: &OpenFrame) -> Option<Limit<&mut Vec<u8>>> {
        let missing = self.missing(frame);
        if missing < STRAIGHT_FROM as u64 {
            return None;
        }
        let length = self.buffer.len();
        if self.buffer.capacity() - length < STRAIGHT_FROM {
            if length < STRAIGHT_FROM {
                return None;
            }
            self.grow(2 * length, frame, missing);
        }
        let wanted = missing.saturating_add(BEYOND as u64);
        let room = wanted.min((self.buffer.capacity() - length) as u64);
        // No more than the capacity.
        Some((&mut self.buffer).limit(room as usize))
    }

    /// Copies payload of `frame` from where it arrived.
    #[inline]
    pub(crate) fn copy(&mut self, payload: &[u8], frame: &OpenFrame) {
        let end = self.buffer.len() + payload.len();
        if end > self.buffer.capacity() {
            let missing = self.missing(frame);
            // Doubling bounds the copies, whatever the size of the fragments.
            self.grow((2 * end).max(FIRST_CAPACITY), frame, missing);
        }
        self.buffer.extend_from_slice(payload);
    }

    /// Grows to `capacity`, or to what `frame` needs if nothing comes behind it.
    fn grow(&mut self, capacity: usize, frame: &OpenFrame, missing: u64) {
        let length = self.buffer.len();
        let needed = (length as u64).saturating_add(missing);
        let capacity = match frame.is_last() {
            true if missing < STRAIGHT_FROM as u64 => needed.min(capacity as u64),
            true => needed.saturating_add(BEYOND as u64).min(capacity as u64),
            false => capacity as u64,
        };
        // No more than `capacity`.
        self.buffer.reserve_exact(capacity as usize - length);
    }

    /// Takes away what was read beyond the end of `frame`.
    #[inline]
    pub(crate) fn split_beyond(&mut self, frame: &OpenFrame) -> Option<BytesMut> {
        let arrived = self.arrived().len();
        let end = self.plain + frame.share_of(arrived);
        if end == self.buffer.len() {
            return None;
        }
        let beyond = BytesMut::from(&self.buffer[end..]);
        self.buffer.truncate(end);
        Some(beyond)
    }

    /// Whether a frame with this header is a message of its own, which goes on as it is.
    #[inline]
    pub(crate) fn is_all(&self, header: &FrameHeader) -> bool {
        let is_message = matches!(header.opcode, Opcode::Text | Opcode::Binary);
        is_message && header.fin && !header.rsv1 && self.kind.is_none()
    }

    /// Makes what has arrived of `frame` a part of the message. The last byte yields it.
    #[inline]
    pub(crate) fn take_arrived(
        &mut self,
        frame: &mut OpenFrame,
    ) -> Result<Option<Message>, ProtocolError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let kind = self.admit(frame, &mut buffer[self.plain..])?;
        if frame.ends_message() {
            self.plain = 0;
            return Ok(Some(Message::checked(kind, buffer.into())));
        }
        self.plain = buffer.len();
        self.buffer = buffer;
        Ok(None)
    }

    /// Makes what has arrived of `frame` a part of the message, as long as that is nothing to tell:
    /// neither the end of the frame nor a broken rule. These stay as they arrived.
    #[inline]
    pub(crate) fn take_inner(&mut self, frame: &mut OpenFrame) {
        if self.missing(frame) == 0 {
            return;
        }
        if self.kind == Some(MessageKind::Binary) {
            let arrived = &mut self.buffer[self.plain..];
            frame.take_mask(arrived.len()).apply(arrived);
            self.plain = self.buffer.len();
            return;
        }
        let (before, utf8) = (*frame, self.utf8);
        let mut buffer = std::mem::take(&mut self.buffer);
        let arrived = &mut buffer[self.plain..];
        if self.admit(frame, arrived).is_ok() {
            self.plain = buffer.len();
        } else {
            // Masking is its own reverse.
            (*frame, self.utf8) = (before, utf8);
            before.clone().take_mask(arrived.len()).apply(arrived);
        }
        self.buffer = buffer;
    }

    #[inline]
    fn admit(
        &mut self,
        frame: &mut OpenFrame,
        payload: &mut [u8],
    ) -> Result<MessageKind, ProtocolError> {
        let mask = frame.take_mask(payload.len());
        let ends = frame.ends_message();
        let kind = self.kind();
        admit(kind, mask, &mut self.utf8, payload, ends)?;
        self.end_if(ends);
        Ok(kind)
    }

    /// Checks what the next bytes of a compressed message were inflated to; `ends`: the last ones.
    pub(crate) fn check(&mut self, plain: &[u8], ends: bool) -> Result<MessageKind, ProtocolError> {
        let kind = self.kind();
        check(kind, &mut self.utf8, plain, ends)?;
        self.end_if(ends);
        Ok(kind)
    }

    /// Admits a message that is one frame with this header.
    #[inline]
    pub(crate) fn admit_whole(
        header: &FrameHeader,
        payload: &mut [u8],
        limit: usize,
    ) -> Result<MessageKind, ProtocolError> {
        check_limit(header.length, limit)?;
        let kind = match header.opcode {
            Opcode::Text => MessageKind::Text,
            _ => MessageKind::Binary,
        };
        let mask = Mask::new(header.masking_key.unwrap_or_default());
        admit(kind, mask, &mut Utf8Stream::default(), payload, true)?;
        Ok(kind)
    }

    /// What the message is. Its bytes come behind a [`begin`](Self::begin) only.
    #[inline]
    fn kind(&self) -> MessageKind {
        self.kind.unwrap_or(MessageKind::Binary)
    }

    #[inline]
    fn end_if(&mut self, ends: bool) {
        if ends {
            (self.kind, self.is_compressed) = (None, false);
        }
    }

    pub(crate) fn export(&self) -> Option<MessageSnapshot> {
        Some(MessageSnapshot {
            kind: self.kind?,
            compressed: self.is_compressed,
            // The plain bytes of a compressed message follow from the compressed ones.
            received: self.buffer[..self.plain].to_vec(),
        })
    }

    /// Goes on after an export; `inflated` is what a compressed message was inflated to.
    pub(crate) fn import(
        snapshot: &MessageSnapshot,
        inflated: Option<&[u8]>,
        limit: usize,
    ) -> Result<Self, ProtocolError> {
        check_limit(snapshot.received.len() as u64, limit)?;
        let mut message = Self {
            kind: Some(snapshot.kind),
            is_compressed: snapshot.compressed,
            utf8: Utf8Stream::default(),
            buffer: snapshot.received.clone(),
            plain: snapshot.received.len(),
        };
        if snapshot.kind == MessageKind::Text {
            message
                .utf8
                .push(inflated.unwrap_or(&snapshot.received), false)?;
        }
        Ok(message)
    }
}

/// The one way of payload into a message: its mask is taken off, and text is checked.
#[inline]
fn admit(
    kind: MessageKind,
    mut mask: Mask,
    utf8: &mut Utf8Stream,
    payload: &mut [u8],
    ends: bool,
) -> Result<(), ProtocolError> {
    mask.apply(payload);
    check(kind, utf8, payload, ends)
}

#[inline]
fn check(
    kind: MessageKind,
    utf8: &mut Utf8Stream,
    plain: &[u8],
    ends: bool,
) -> Result<(), ProtocolError> {
    match kind {
        MessageKind::Text => utf8.push(plain, ends),
        MessageKind::Binary => Ok(()),
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
