//! [`Intake`]: the one road from bytes to messages and control frames.

mod arrival;
mod transfer;

use bytes::{Buf, Bytes, BytesMut};

use crate::compression::Compression;
use crate::error::ProtocolError;
use crate::frame::{FrameHeader, HeaderRules, MAX_HEADER_BYTES, Opcode, OpenFrame};
use crate::message::{Message, Unfinished};

pub use transfer::DecoderSnapshot;

pub(crate) use arrival::Arrival;

/// Of a message that is cut, less than this does not hold on to memory that was given away. Inputs
/// of a fuzzer are short.
const STAYS_FROM: usize = if cfg!(fuzzing) { 16 } else { 256 };

/// Input, and what it is in the middle of.
///
/// A message that lies whole in the input is a slice of it. What is cut lies in the memory of the
/// unfinished message, which grows by what arrives, and which the driver reads into; but in memory
/// that was given away it stays where it is, as long as the rest arrives right behind it. Of a header
/// or a control frame that is cut, only these few bytes are kept.
#[derive(Debug)]
pub(crate) struct Intake {
    rules: HeaderRules,
    head_len: u8,
    head: [u8; MAX_HEADER_BYTES - 1],
    /// What is not decoded yet, behind what has arrived of the message.
    input: BytesMut,
    frame: Option<OpenFrame>,
    /// The payload so far of a control frame that was cut by the transport.
    #[expect(
        clippy::box_collection,
        reason = "8 bytes instead of 24 in every connection"
    )]
    control: Option<Box<Vec<u8>>>,
    message: Unfinished,
}

/// What the bytes contained.
pub(crate) enum Received {
    Message(Message),
    Control(Opcode, Bytes),
}

impl Intake {
    pub(crate) fn new(rules: HeaderRules) -> Self {
        Self {
            rules,
            head_len: 0,
            head: [0; MAX_HEADER_BYTES - 1],
            input: BytesMut::new(),
            frame: None,
            control: None,
            message: Unfinished::default(),
        }
    }

    /// Whether nothing waits to be decoded.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.input.len() == self.message.held() && !self.message.is_due()
    }

    /// Whether the bytes so far end inside a frame.
    #[inline]
    pub(crate) fn is_inside_frame(&self) -> bool {
        self.frame.is_some() || self.head_len > 0
    }

    /// The next message or control frame. Without one, all of the input was taken.
    #[inline]
    pub(crate) fn next(
        &mut self,
        compression: Option<&mut Compression>,
        limit: usize,
    ) -> Result<Option<Received>, ProtocolError> {
        let message = if self.message.is_in_input() {
            self.next_in_place()?
        } else if !self.is_inside_frame() {
            self.next_whole(limit)?
        } else {
            None
        };
        match message {
            Some(message) => Ok(Some(Received::Message(message))),
            None if self.is_empty() => Ok(None),
            None => self.next_in_parts(compression, limit),
        }
    }

    /// The next message, if it is one frame, there to its last byte, and not compressed. Of one whose
    /// end is missing the payload is looked at, if it stays in place.
    #[inline]
    fn next_whole(&mut self, limit: usize) -> Result<Option<Message>, ProtocolError> {
        if !self.message.has_begun()
            && let Some((header, start)) = FrameHeader::parse_usual(&self.input, self.rules.role)
        {
            return match header.length <= (self.input.len() - start) as u64 {
                true => self.take_whole(&header, start, limit),
                false => self.begin_cut(header, start, limit),
            };
        }
        self.next_unusual(limit)
    }

    /// [`next_whole`](Self::next_whole), for whatever is unusual.
    #[inline(never)]
    fn next_unusual(&mut self, limit: usize) -> Result<Option<Message>, ProtocolError> {
        let Some((header, start)) = FrameHeader::parse_by(&self.input, self.rules)? else {
            return Ok(None);
        };
        if !self.message.is_all(&header) {
            return Ok(None);
        }
        match header.length <= (self.input.len() - start) as u64 {
            true => self.take_whole(&header, start, limit),
            false => self.begin_cut(header, start, limit),
        }
    }

    /// Begins a message that is one frame, whose end is missing.
    #[inline(never)]
    fn begin_cut(
        &mut self,
        header: FrameHeader,
        start: usize,
        limit: usize,
    ) -> Result<Option<Message>, ProtocolError> {
        self.advance(start);
        self.frame = Some(self.begin(header, limit)?);
        match self.message.is_in_input() {
            true => self.next_in_place(),
            false => Ok(None),
        }
    }

    /// Takes a message that is one frame, there to its last byte behind `start` bytes of header.
    #[inline]
    fn take_whole(
        &mut self,
        header: &FrameHeader,
        start: usize,
        limit: usize,
    ) -> Result<Option<Message>, ProtocolError> {
        let end = start + header.length as usize;
        let kind = Unfinished::admit_whole(header, &mut self.input[start..end], limit)?;
        let mut payload = self.split_front(end).freeze();
        payload.advance(start);
        Ok(Some(Message::checked(kind, payload)))
    }

    /// [`next`](Self::next), for all else.
    fn next_in_parts(
        &mut self,
        mut compression: Option<&mut Compression>,
        limit: usize,
    ) -> Result<Option<Received>, ProtocolError> {
        loop {
            let mut frame = match self.frame.take() {
                Some(frame) => frame,
                None => match self.open(limit)? {
                    Some(frame) => frame,
                    None => return Ok(None),
                },
            };
            if frame.opcode().is_control() {
                return Ok(self.take_control(frame));
            }
            let message = if self.message.is_in_input() {
                self.frame = Some(frame);
                self.next_in_place()?
            } else {
                let message = match self.message.is_compressed() {
                    true => self.inflate(&mut frame, compression.as_deref_mut(), limit)?,
                    false => self.collect(&mut frame)?,
                };
                self.frame = (!frame.is_complete()).then_some(frame);
                message
            };
            if let Some(message) = message {
                return Ok(Some(Received::Message(message)));
            }
            if self.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Reads the next header. Without one, all of the input was taken.
    #[inline]
    fn open(&mut self, limit: usize) -> Result<Option<OpenFrame>, ProtocolError> {
        let header = if self.head_len > 0 {
            self.complete_head()?
        } else if let Some((header, taken)) = FrameHeader::parse_by(&self.input, self.rules)? {
            self.advance(taken);
            Some(header)
        } else {
            self.keep_head();
            None
        };
        let Some(header) = header else {
            return Ok(None);
        };
        if header.opcode.is_control() {
            return Ok(Some(OpenFrame::new(header)));
        }
        self.begin(header, limit).map(Some)
    }

    /// Begins a data frame whose header was taken.
    #[inline]
    fn begin(&mut self, header: FrameHeader, limit: usize) -> Result<OpenFrame, ProtocolError> {
        let is_all = self.message.is_all(&header);
        self.message.begin(&header, limit)?;
        let is_whole = header.length <= self.input.len() as u64;
        if is_all && (is_whole || self.message.is_lent() || self.input.len() >= STAYS_FROM) {
            self.message.stay(is_whole);
        }
        Ok(OpenFrame::new(header))
    }

    /// Takes a payload in place, with its frame, if it is whole, and looks at it if not.
    #[inline]
    fn next_in_place(&mut self) -> Result<Option<Message>, ProtocolError> {
        let Some(mut frame) = self.frame else {
            return Ok(None);
        };
        if frame.remaining() > self.input.len() as u64 {
            self.message.look(&frame, &mut self.input)?;
            return Ok(None);
        }
        // Right or wrong, the frame has ended.
        self.frame = None;
        let mut payload = self.split_front(frame.remaining() as usize);
        let kind = self.message.admit_rest(&mut frame, &mut payload);
        Ok(Some(Message::checked(kind?, payload.freeze())))
    }

    /// Takes payload of a frame that is not all of a message, or not there to its last byte.
    fn collect(&mut self, frame: &mut OpenFrame) -> Result<Option<Message>, ProtocolError> {
        let arrived = self.message.arrived_length();
        let share = frame.share_of(arrived + self.input.len()) - arrived;
        if share > 0 {
            self.message.copy(&self.input[..share], frame);
            self.advance(share);
        }
        self.message.take_arrived(frame)
    }

    /// Takes payload of a compressed message.
    #[cold]
    fn inflate(
        &mut self,
        frame: &mut OpenFrame,
        compression: Option<&mut Compression>,
        limit: usize,
    ) -> Result<Option<Message>, ProtocolError> {
        // The header check lets RSV1 through only where compression was agreed on.
        let Some(compression) = compression else {
            return Err(ProtocolError::ReservedBits { bits: 0b100 });
        };
        let share = frame.share_of(self.input.len());
        let mut payload = self.split_front(share);
        frame.take_mask(payload.len()).apply(&mut payload);
        let ends = frame.ends_message();
        let start = compression.inflated().len();
        let result = compression.inflate(&payload, ends, limit);
        // What was inflated before an error comes first in the message, so a bad byte in it is what
        // is told, however the message was cut into pieces.
        let is_whole = ends && result.is_ok();
        let kind = self
            .message
            .check(&compression.inflated()[start..], is_whole)?;
        result?;
        if !ends {
            return Ok(None);
        }
        Ok(Some(Message::checked(kind, compression.take_inflated())))
    }

    /// Takes a control frame: whole, since it has 125 bytes at most.
    fn take_control(&mut self, mut frame: OpenFrame) -> Option<Received> {
        let length = frame.remaining() as usize;
        let mut payload = if self.control.is_none() && length <= self.input.len() {
            self.split_front(length)
        } else {
            let control = self.control.get_or_insert_default();
            let share = (length - control.len()).min(self.input.len());
            control.extend_from_slice(&self.input[..share]);
            let payload = (control.len() == length).then(|| BytesMut::from(&control[..]));
            self.advance(share);
            let Some(payload) = payload else {
                self.frame = Some(frame);
                return None;
            };
            self.control = None;
            payload
        };
        frame.take_mask(length).apply(&mut payload);
        Some(Received::Control(frame.opcode(), payload.freeze()))
    }

    /// Keeps the start of a header.
    #[cold]
    fn keep_head(&mut self) {
        // An incomplete header is shorter than the longest one.
        let length = self.input.len().min(self.head.len());
        self.head[..length].copy_from_slice(&self.input[..length]);
        self.head_len = length as u8;
        self.advance(self.input.len());
    }

    #[cold]
    fn complete_head(&mut self) -> Result<Option<FrameHeader>, ProtocolError> {
        let had = usize::from(self.head_len);
        let added = self.input.len().min(MAX_HEADER_BYTES - had);
        let end = had + added;
        let mut head = [0; MAX_HEADER_BYTES];
        head[..had].copy_from_slice(&self.head[..had]);
        head[had..end].copy_from_slice(&self.input[..added]);
        let Some((header, taken)) = FrameHeader::parse_by(&head[..end], self.rules)? else {
            let kept = end.min(self.head.len());
            self.head[..kept].copy_from_slice(&head[..kept]);
            self.head_len = kept as u8;
            self.advance(self.input.len());
            return Ok(None);
        };
        // What was kept was not a header yet, so `taken` is more than `had`.
        self.advance(taken.saturating_sub(had));
        self.head_len = 0;
        Ok(Some(header))
    }

    /// The first `length` bytes. With the last of them the buffer itself goes along unless it is lent,
    /// so that an idle connection keeps none.
    #[inline]
    fn split_front(&mut self, length: usize) -> BytesMut {
        if self.input.len() == length && !self.message.is_lent() {
            std::mem::take(&mut self.input)
        } else {
            self.input.split_to(length)
        }
    }

    /// Drops the first `length` bytes, and with the last of them the buffer unless it is lent.
    #[inline]
    fn advance(&mut self, length: usize) {
        if self.input.len() == length && !self.message.is_lent() {
            self.input = BytesMut::new();
        } else {
            self.input.advance(length);
        }
    }
}
