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
/// Its memory has at most four times the capacity of what has arrived, whatever a header declares,
/// and at its end at most twice.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    kind: Option<MessageKind>,
    is_compressed: bool,
    utf8: Utf8Stream,
    place: Place,
    memory: InputMemory,
    /// Plain bytes, and behind them payload of the open frame as it arrived. Binary stays masked
    /// until the frame is whole; text is checked with every piece.
    buffer: Vec<u8>,
    /// How many bytes of `buffer` are plain. Of a payload in the input: how many were looked at.
    plain: usize,
}

/// Where the payload of the open frame is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// In memory of its own.
    #[default]
    Own,
    /// There, with something to tell: the end of the frame or a broken rule.
    Due,
    /// At the start of the input. The frame is the whole message.
    Input,
}

/// Whose memory the input is in, and so whether a payload may stay there. It is kept here, where it takes
/// no room of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum InputMemory {
    /// A copy, behind which nothing arrives.
    #[default]
    Copied,
    /// It was given away: more may arrive right behind it.
    Given,
    /// The same, and the rest of the driver's buffer lies behind it.
    Lent,
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

    /// Whether it has something to tell: the end of the frame or a broken rule.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        self.place == Place::Due
    }

    /// Whether the payload of the open frame stays at the start of the input.
    #[inline]
    pub(crate) fn is_in_input(&self) -> bool {
        self.place == Place::Input
    }

    /// How much of the input was looked at, and is not to be decoded before its end.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        match self.place {
            Place::Input => self.plain,
            Place::Own | Place::Due => 0,
        }
    }

    /// Takes note of whose memory the input is in.
    #[inline]
    pub(crate) fn set_memory(&mut self, memory: InputMemory) {
        self.memory = memory;
    }

    /// Whether the input is in memory that was given away, and more may arrive behind it.
    #[inline]
    pub(crate) fn is_given(&self) -> bool {
        self.memory == InputMemory::Given
    }

    /// Whether the rest of the driver's buffer lies behind the input.
    #[inline]
    pub(crate) fn is_lent(&self) -> bool {
        self.memory == InputMemory::Lent
    }

    /// Leaves the payload of the open frame, which is the whole message, in the input if it may stay
    /// there or is whole.
    #[inline]
    pub(crate) fn stay(&mut self, is_whole: bool) {
        if self.memory != InputMemory::Copied || is_whole {
            self.place = Place::Input;
        }
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

    /// How much of [that](Self::arrived) there is.
    #[inline]
    pub(crate) fn arrived_length(&self) -> usize {
        self.buffer.len() - self.plain
    }

    /// How much of the payload of `frame` has not arrived.
    #[inline]
    fn missing(&self, frame: &OpenFrame) -> u64 {
        frame.remaining() - self.arrived_length() as u64
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
            if !Self::is_worth_a_read(missing, length) {
                return None;
            }
            self.grow(length, frame, missing);
        }
        let wanted = missing.saturating_add(BEYOND as u64);
        let room = wanted.min((self.buffer.capacity() - length) as u64);
        // No more than the capacity.
        Some((&mut self.buffer).limit(room as usize))
    }

    /// Whether a read straight into the memory of a message is worth it, with so much of the payload
    /// missing and so much of the message there.
    #[inline]
    pub(crate) fn is_worth_a_read(missing: u64, length: usize) -> bool {
        missing >= STRAIGHT_FROM as u64 && length >= STRAIGHT_FROM / 4
    }

    /// Copies payload of `frame` from where it arrived.
    #[inline]
    pub(crate) fn copy(&mut self, payload: &[u8], frame: &OpenFrame) {
        let end = self.buffer.len() + payload.len();
        if end > self.buffer.capacity() {
            let missing = self.missing(frame);
            self.grow(end, frame, missing);
        }
        self.buffer.extend_from_slice(payload);
    }

    /// Grows beyond `length`, or to what `frame` needs if nothing comes behind it.
    #[inline(never)]
    fn grow(&mut self, length: usize, frame: &OpenFrame, missing: u64) {
        let needed = (self.buffer.len() as u64).saturating_add(missing);
        // A multiple bounds the copies, whatever the size of the fragments.
        let multiple = if frame.is_last() { 4 } else { 2 };
        let capacity = (multiple * length).max(FIRST_CAPACITY) as u64;
        let capacity = match frame.is_last() {
            true if missing < STRAIGHT_FROM as u64 => needed.min(capacity),
            true => needed.saturating_add(BEYOND as u64).min(capacity),
            false => capacity,
        };
        // No more than four times the length, or the least.
        let length = self.buffer.len();
        self.buffer.reserve_exact(capacity as usize - length);
    }

    /// Takes away what was read beyond the end of `frame`.
    #[inline]
    pub(crate) fn split_beyond(&mut self, frame: &OpenFrame) -> Option<BytesMut> {
        let arrived = self.arrived_length();
        if arrived as u64 <= frame.remaining() {
            return None;
        }
        let end = self.plain + frame.share_of(arrived);
        let beyond = BytesMut::from(&self.buffer[end..]);
        self.buffer.truncate(end);
        Some(beyond)
    }

    /// Whether a message has begun.
    #[inline]
    pub(crate) fn has_begun(&self) -> bool {
        self.kind.is_some()
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
        self.place = Place::Own;
        if self.kind() == MessageKind::Binary && self.missing(frame) > 0 {
            return Ok(None);
        }
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

    /// Looks at what has arrived of `frame`. If there is something to tell, it stays as it arrived,
    /// and this is false.
    #[inline]
    pub(crate) fn take_inner(&mut self, frame: &mut OpenFrame) -> bool {
        if self.missing(frame) == 0 {
            self.place = Place::Due;
        } else if self.kind() == MessageKind::Text {
            self.take_text(frame);
        }
        !self.is_due()
    }

    fn take_text(&mut self, frame: &mut OpenFrame) {
        let arrived = &mut self.buffer[self.plain..];
        if look(&mut self.utf8, frame.mask_at(0), arrived).is_err() {
            self.place = Place::Due;
            return;
        }
        frame.take_mask(arrived.len());
        self.plain = self.buffer.len();
    }

    /// Looks at the payload of `frame` in `input`, which has not all of it. Text is plain afterwards;
    /// with an error nothing has changed.
    #[inline]
    pub(crate) fn look(
        &mut self,
        frame: &OpenFrame,
        input: &mut [u8],
    ) -> Result<(), ProtocolError> {
        if self.kind() == MessageKind::Text {
            let payload = &mut input[self.plain..];
            look(&mut self.utf8, frame.mask_at(self.plain), payload)?;
        }
        self.plain = input.len();
        Ok(())
    }

    /// Takes leave of the input: how much of what was [looked at](Self::look) is plain.
    #[inline]
    fn leave(&mut self, frame: &mut OpenFrame) -> usize {
        self.place = Place::Own;
        let looked_at = std::mem::take(&mut self.plain);
        let plain = match self.kind() {
            MessageKind::Binary => 0,
            MessageKind::Text => looked_at,
        };
        frame.take_mask(plain);
        plain
    }

    /// Copies the start of the payload of `frame`, all of `input`, into memory of its own.
    pub(crate) fn leave_input(&mut self, input: &[u8], frame: &mut OpenFrame) {
        let before = *frame;
        let plain = self.leave(frame);
        self.copy(input, &before);
        self.plain = plain;
    }

    /// Admits the whole `payload` of `frame`, which was in the input.
    #[inline]
    pub(crate) fn admit_rest(
        &mut self,
        frame: &mut OpenFrame,
        payload: &mut [u8],
    ) -> Result<MessageKind, ProtocolError> {
        let plain = self.leave(frame);
        self.admit(frame, &mut payload[plain..])
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
        if kind == MessageKind::Text {
            self.utf8.push(plain, ends)?;
        }
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
            received: match self.place {
                Place::Own | Place::Due => self.buffer[..self.plain].to_vec(),
                Place::Input => Vec::new(),
            },
        })
    }

    /// Adds to a snapshot what has arrived of `frame`, in `input` or not, and is nothing to tell.
    pub(crate) fn export_looked_at(
        &self,
        input: &[u8],
        frame: &mut OpenFrame,
        snapshot: &mut MessageSnapshot,
    ) {
        let (plain, masked) = match (self.place, self.kind()) {
            (Place::Due, _) => return,
            (Place::Own, _) => (&[][..], self.arrived()),
            (Place::Input, MessageKind::Text) => (&input[..self.plain], &[][..]),
            (Place::Input, MessageKind::Binary) => (&[][..], &input[..self.plain]),
        };
        frame.take_mask(plain.len());
        let mut unmasked = masked.to_vec();
        frame.take_mask(masked.len()).apply(&mut unmasked);
        snapshot.received.extend([plain, &unmasked].concat());
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
            buffer: snapshot.received.clone(),
            plain: snapshot.received.len(),
            ..Self::default()
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
    match kind {
        MessageKind::Text => {
            let ascii = mask.apply_to_text(payload);
            utf8.push_from(ascii, payload, ends)
        }
        MessageKind::Binary => {
            mask.apply(payload);
            Ok(())
        }
    }
}

/// [`admit`] for text that goes on; with an error nothing has changed.
#[inline]
fn look(utf8: &mut Utf8Stream, mask: Mask, payload: &mut [u8]) -> Result<(), ProtocolError> {
    let before = *utf8;
    let result = admit(MessageKind::Text, mask, utf8, payload, false);
    if result.is_err() {
        // Masking is its own reverse.
        mask.clone().apply(payload);
        *utf8 = before;
    }
    result
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
