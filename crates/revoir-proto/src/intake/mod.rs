//! [`Intake`]: the one road from bytes to messages and control frames.

mod transfer;

use bytes::buf::Limit;
use bytes::{Buf, Bytes, BytesMut};

use crate::compression::Compression;
use crate::error::ProtocolError;
use crate::frame::{FrameHeader, HeaderRules, MAX_HEADER_BYTES, Opcode, OpenFrame};
use crate::message::{Message, Unfinished};

pub use transfer::DecoderSnapshot;

/// Of a message that is cut, less than this does not hold on to memory that was given away. Inputs
/// of a fuzzer are short.
const STAYS_FROM: usize = if cfg!(fuzzing) { 16 } else { 256 };

/// From this length on, the rest of a message does not wait for what comes right behind its start,
/// but is read to memory of its own.
const MOVES_FROM: u64 = if cfg!(fuzzing) { 32 } else { 16 * 1024 };

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
    /// Whether the rest of the driver's buffer lies behind the input.
    is_lent: bool,
    frame: Option<OpenFrame>,
    /// The payload so far of a control frame that was cut by the transport.
    #[expect(
        clippy::box_collection,
        reason = "8 bytes instead of 24 in every connection"
    )]
    control: Option<Box<Vec<u8>>>,
    message: Unfinished,
}

/// What became of bytes that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Nothing waits to be decoded.
    Taken,
    /// They wait, behind nothing else.
    First,
    /// They wait, behind others.
    Behind,
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
            is_lent: false,
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

    /// Where to read to, if it is the memory of the unfinished message.
    #[inline]
    pub(crate) fn room(&mut self) -> Option<Limit<&mut Vec<u8>>> {
        let frame = self.frame.as_ref()?;
        if self.message.is_in_input() {
            return match frame.remaining() - (self.message.held() as u64) < MOVES_FROM {
                true => None,
                false => self.room_elsewhere(),
            };
        }
        if !self.is_empty() || frame.opcode().is_control() || self.message.is_compressed() {
            return None;
        }
        self.message.room(frame)
    }

    /// [`room`](Self::room) for the long rest of a payload in place, which moves if that is worth it.
    fn room_elsewhere(&mut self) -> Option<Limit<&mut Vec<u8>>> {
        let missing = self.frame.as_ref()?.remaining() - self.message.held() as u64;
        if !self.is_empty() || !Unfinished::is_worth_a_read(missing, self.message.held()) {
            return None;
        }
        self.leave_place();
        self.message.room(self.frame.as_ref()?)
    }

    /// Where to read to, if not to [`room`](Self::room): behind a payload in place, which takes the
    /// rest of `buffer`, or else to `buffer`, which gets that rest back.
    #[inline]
    pub(crate) fn lend<'a>(&'a mut self, buffer: &'a mut BytesMut) -> &'a mut BytesMut {
        if self.message.is_in_input() && self.is_empty() {
            if !self.is_lent {
                match self.input.try_unsplit(std::mem::take(buffer)) {
                    Ok(()) => self.is_lent = true,
                    Err(elsewhere) => *buffer = elsewhere,
                }
            }
            if self.is_lent {
                return &mut self.input;
            }
        } else if self.is_lent {
            let rest = self.input.split_off(self.input.len());
            self.is_lent = false;
            if buffer.capacity() == 0 {
                *buffer = rest;
            }
        }
        buffer
    }

    /// Bytes were read to [`room`](Self::room), or to the input that a buffer was [lent](Self::lend) to.
    #[inline]
    pub(crate) fn fill(&mut self) -> Arrival {
        if self.message.is_in_input() {
            return self.look();
        }
        let Some(frame) = &mut self.frame else {
            return Arrival::Taken;
        };
        if let Some(beyond) = self.message.split_beyond(frame) {
            self.input = beyond;
        }
        // There is room only where nothing waits, and bytes beyond the frame come with its end.
        match self.message.take_inner(frame) {
            true => Arrival::Taken,
            false => Arrival::First,
        }
    }

    /// Takes bytes in memory that was given away.
    #[inline]
    pub(crate) fn give(&mut self, input: BytesMut) -> Arrival {
        self.message.may_stay(true);
        self.is_lent = false;
        if !self.is_empty() {
            self.push(input);
            return Arrival::Behind;
        }
        if !self.message.is_in_input() {
            self.input = input;
            return Arrival::First;
        }
        match self.append(input) {
            Ok(()) => self.look(),
            Err(input) => {
                self.leave_place();
                self.input = input;
                Arrival::First
            }
        }
    }

    /// Puts `input` behind what is there, unless that takes a copy.
    #[inline]
    fn append(&mut self, input: BytesMut) -> Result<(), BytesMut> {
        if self.input.is_empty() {
            self.input = input;
            return Ok(());
        }
        self.input.try_unsplit(input)
    }

    #[inline]
    fn push(&mut self, input: BytesMut) {
        if let Err(input) = self.append(input) {
            self.input.extend_from_slice(&input);
        }
    }

    /// Takes what was read into `buffer`, and empties it. What lies in an unfinished message is
    /// copied there at once.
    pub(crate) fn take(&mut self, buffer: &mut Vec<u8>, limit: usize) -> Arrival {
        let is_first = self.is_empty();
        self.take_bytes(buffer, limit, is_first);
        match (is_first, self.is_empty()) {
            (true, true) => Arrival::Taken,
            (true, false) => Arrival::First,
            (false, _) => Arrival::Behind,
        }
    }

    fn take_bytes(&mut self, buffer: &mut Vec<u8>, limit: usize, is_first: bool) {
        let mut bytes = &buffer[..];
        if is_first {
            if self.message.is_in_input() {
                self.leave_place();
            }
            if !self.is_inside_frame() {
                self.open_cut(&mut bytes, limit);
            }
            if let Some(frame) = &self.frame
                && !frame.opcode().is_control()
                && !self.message.is_compressed()
            {
                let arrived = self.message.arrived_length();
                let share = frame.share_of(arrived + bytes.len()) - arrived;
                self.message.copy(&bytes[..share], frame);
                bytes = &bytes[share..];
                self.fill();
            }
        }
        self.message.may_stay(false);
        self.is_lent = false;
        if 2 * bytes.len() < buffer.capacity() {
            return if !bytes.is_empty() {
                self.push(BytesMut::from(bytes));
            };
        }
        let used = buffer.len() - bytes.len();
        let mut input = BytesMut::from(Bytes::from(std::mem::take(buffer)));
        input.advance(used);
        self.push(input);
    }

    /// Looks at what has arrived of a payload in place, unless there is something to tell: its end,
    /// or a broken rule.
    #[inline]
    fn look(&mut self) -> Arrival {
        if let Some(frame) = &self.frame
            && frame.remaining() > self.input.len() as u64
            && self.message.look(frame, &mut self.input).is_ok()
        {
            return Arrival::Taken;
        }
        // What breaks a rule is left for `next`, which tells it.
        Arrival::First
    }

    /// Moves what has arrived of a payload in place to memory of its own.
    #[inline(never)]
    fn leave_place(&mut self) {
        if let Some(frame) = &mut self.frame {
            self.message.leave_input(&self.input, frame);
        }
        self.input = BytesMut::new();
        self.is_lent = false;
    }

    /// Opens the data frame at the start of `bytes` if its end is not among them. Whatever is
    /// unusual or wrong is for [`next`](Self::next).
    fn open_cut(&mut self, bytes: &mut &[u8], limit: usize) {
        if let Ok(Some((header, taken))) = FrameHeader::parse_by(bytes, self.rules)
            && !header.opcode.is_control()
            && header.length > (bytes.len() - taken) as u64
            && self.message.begin(&header, limit).is_ok()
        {
            *bytes = &bytes[taken..];
            self.frame = Some(OpenFrame::new(header));
        }
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
        if is_all && (is_whole || self.is_lent || self.input.len() >= STAYS_FROM) {
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
        if self.input.len() == length && !self.is_lent {
            std::mem::take(&mut self.input)
        } else {
            self.input.split_to(length)
        }
    }

    /// Drops the first `length` bytes, and with the last of them the buffer unless it is lent.
    #[inline]
    fn advance(&mut self, length: usize) {
        if self.input.len() == length && !self.is_lent {
            self.input = BytesMut::new();
        } else {
            self.input.advance(length);
        }
    }
}
