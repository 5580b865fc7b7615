//! Bytes on their way in: where they are read to, and what becomes of them before anything is decoded.

use bytes::buf::Limit;
use bytes::{Buf, Bytes, BytesMut};

use super::Intake;
use crate::frame::{FrameHeader, Opcode, OpenFrame};
use crate::message::{InputMemory, Unfinished};

/// From this length on, the rest of a message does not wait for what comes right behind its start,
/// but is read to memory of its own.
const MOVES_FROM: u64 = if cfg!(fuzzing) { 32 } else { 16 * 1024 };

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

impl Intake {
    /// Where to read to, if it is the memory of the unfinished message.
    #[inline]
    pub(crate) fn room(&mut self) -> Option<Limit<&mut Vec<u8>>> {
        let frame = self.frame.as_ref()?;
        if self.message.is_in_input() {
            let missing = frame.remaining() - self.message.held() as u64;
            return match missing < MOVES_FROM || missing <= spare(&self.input) {
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
            // Without room in its buffer, the driver makes some behind the message, and gets the rest of that.
            if self.message.is_given() && spare(&self.input) == 0 {
                match self.input.try_unsplit(std::mem::take(buffer)) {
                    Ok(()) => self.message.set_memory(InputMemory::Lent),
                    Err(elsewhere) => *buffer = elsewhere,
                }
            }
            if buffer.capacity() == 0 {
                return &mut self.input;
            }
        } else if self.message.is_lent() {
            let rest = self.input.split_off(self.input.len());
            self.message.set_memory(InputMemory::Given);
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
        self.message.set_memory(InputMemory::Given);
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
    /// copied there at once, or stays in `buffer` if that can become the message's memory.
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
        let used = match is_first {
            true => self.take_cut(buffer, limit),
            false => 0,
        };
        self.message.set_memory(InputMemory::Copied);
        let rest = &buffer[used..];
        if rest.is_empty() {
            return;
        }
        match 2 * rest.len() < buffer.capacity() {
            true => self.push(BytesMut::from(rest)),
            false => self.push(given_away(buffer, used)),
        }
    }

    /// Takes the bytes at the start of `buffer` that belong to a message whose end is missing, and
    /// returns how many it has copied.
    fn take_cut(&mut self, buffer: &mut Vec<u8>, limit: usize) -> usize {
        if self.message.is_in_input() {
            self.leave_place();
        }
        let start = match self.is_inside_frame() {
            true => 0,
            false => self.open_cut(buffer, limit),
        };
        let Some(frame) = &self.frame else {
            return 0;
        };
        if frame.opcode().is_control() || self.message.is_compressed() {
            return start;
        }
        if start > 0 && has_room_for(frame, buffer, start) {
            self.input = given_away(buffer, start);
            self.message.stay(true);
            self.look();
            return 0;
        }
        let arrived = self.message.arrived_length();
        let end = start + frame.share_of(arrived + buffer.len() - start) - arrived;
        self.message.copy(&buffer[start..end], frame);
        self.fill();
        end
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
        self.message.set_memory(InputMemory::Given);
    }

    /// Opens the data frame at the start of `bytes` if its end is not among them, and returns the
    /// length of its header. Whatever is unusual or wrong is for [`next`](Self::next).
    fn open_cut(&mut self, bytes: &[u8], limit: usize) -> usize {
        if let Ok(Some((header, taken))) = FrameHeader::parse_by(bytes, self.rules)
            && !header.opcode.is_control()
            && header.length > (bytes.len() - taken) as u64
            && self.message.begin(&header, limit).is_ok()
        {
            self.frame = Some(OpenFrame::new(header));
            return taken;
        }
        0
    }
}

/// Whether the payload of `frame`, which begins at `start`, is all of a message, fills half of
/// `buffer`, and has room for its rest behind it.
fn has_room_for(frame: &OpenFrame, buffer: &Vec<u8>, start: usize) -> bool {
    let missing = frame.remaining() - (buffer.len() - start) as u64;
    frame.is_last()
        && frame.opcode() != Opcode::Continuation
        && 2 * buffer.len() >= buffer.capacity()
        && missing <= (buffer.capacity() - buffer.len()) as u64
}

/// The memory of `buffer`, from `start` on.
fn given_away(buffer: &mut Vec<u8>, start: usize) -> BytesMut {
    let mut memory = BytesMut::from(Bytes::from(std::mem::take(buffer)));
    memory.advance(start);
    memory
}

/// How much can be read behind `input`, in the same memory.
#[inline]
fn spare(input: &BytesMut) -> u64 {
    (input.capacity() - input.len()) as u64
}
