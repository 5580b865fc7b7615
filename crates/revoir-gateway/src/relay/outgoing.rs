//! [`Outgoing`]: what one transport has not taken yet.

use std::collections::VecDeque;
use std::io::IoSlice;

use revoir_proto::Role;
use revoir_proto::frame::FrameHeader;

use crate::relay::chunks::Chunks;

/// The writing side of a transport.
pub(crate) trait Accept {
    /// Takes as much as it can at once, and returns how much that was.
    fn accept(&mut self, slices: &[IoSlice<'_>]) -> usize;
}

/// Bytes for one transport, in the order in which they leave.
///
/// Usually there are none: what is forwarded goes straight to the transport. The rest waits here,
/// and as long as it does nothing more is read for it. Control frames of our own wait beside the
/// data and leave behind it, so that they never end up inside a frame.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    /// `None`: nothing waits, so that an idle connection owns no buffer.
    waiting: Option<Box<Backlog>>,
    /// All bytes that the transport ever took.
    sent: u64,
}

/// What waits, once something has.
#[derive(Debug, Default)]
struct Backlog {
    /// Data that was not written, from the start of the first message of which that is true.
    data: Chunks,
    /// How much at the start of `data` was written.
    written: usize,
    /// Where whole messages end in `data`, counted from the first byte queued here.
    ends: VecDeque<u64>,
    /// The position of the start of `data` in that count.
    base: u64,
    /// Up to here there are parts of a message that was cut through.
    opaque_until: u64,
    controls: Vec<u8>,
    /// How much at the start of `controls` was written.
    controls_written: usize,
}

impl Outgoing {
    /// Forwards `before` and `bytes` as far as `transport` takes them. The rest waits.
    #[inline]
    pub(crate) fn forward(&mut self, transport: &mut dyn Accept, before: &[u8], bytes: &[u8]) {
        let taken = self.offer(transport, before, bytes);
        if taken < before.len() + bytes.len() {
            let skipped = taken.min(before.len());
            let waiting = self.waiting.get_or_insert_default();
            waiting.data.push(&before[skipped..]);
            waiting.data.push(&bytes[taken - skipped..]);
            waiting.opaque_until = waiting.end();
        }
    }

    /// Forwards whole messages as far as `transport` takes them. The rest waits, from the start of
    /// the first message that was not written to its end: another connection can send it again.
    ///
    /// `reader` is the role of the endpoint that was sent the messages.
    pub(crate) fn forward_messages(
        &mut self,
        transport: &mut dyn Accept,
        before: &[u8],
        bytes: &[u8],
        reader: Role,
    ) {
        let taken = self.offer(transport, before, bytes);
        if taken < before.len() + bytes.len() {
            let waiting = self.waiting.get_or_insert_default();
            match before.is_empty() {
                true => waiting.keep_messages(bytes, taken, reader),
                false => waiting.keep_messages(&[before, bytes].concat(), taken, reader),
            }
        }
    }

    /// Queues a control frame of our own.
    pub(crate) fn push_control(&mut self, frame: &[u8]) {
        let waiting = self.waiting.get_or_insert_default();
        waiting.controls.extend_from_slice(frame);
    }

    /// Writes what waits. `may_insert`: whether the data ends with a frame, so that a control
    /// frame may follow it.
    pub(crate) fn flush(&mut self, transport: &mut dyn Accept, may_insert: bool) {
        if let Some(waiting) = &mut self.waiting {
            self.sent += waiting.flush(transport, may_insert);
            self.waiting.take_if(|waiting| waiting.is_empty());
        }
    }

    /// Takes the messages out that did not leave to their last byte, for another connection to
    /// send again. Control frames stay: they belong to this one.
    pub(crate) fn split_repeatable(&mut self) -> Self {
        let Some(waiting) = &mut self.waiting else {
            return Self::default();
        };
        let messages = Backlog {
            data: std::mem::take(&mut waiting.data),
            ends: std::mem::take(&mut waiting.ends),
            base: waiting.base,
            ..Backlog::default()
        };
        waiting.written = 0;
        self.waiting.take_if(|waiting| waiting.is_empty());
        Self {
            waiting: (!messages.is_empty()).then(|| Box::new(messages)),
            sent: 0,
        }
    }

    /// Whether the transport has taken a part of a message, and not the rest.
    pub(crate) fn is_inside_message(&self) -> bool {
        self.look(|waiting| waiting.written > 0)
    }

    /// Whether control frames wait.
    pub(crate) fn has_controls(&self) -> bool {
        self.look(|waiting| !waiting.controls.is_empty())
    }

    /// Bytes of data that wait.
    pub(crate) fn queued(&self) -> usize {
        self.look(Backlog::queued)
    }

    /// Whole messages that wait, or were not written to their last byte.
    pub(crate) fn queued_messages(&self) -> usize {
        self.look(|waiting| waiting.ends.len())
    }

    /// Whether everything has left.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_none()
    }

    /// Whether messages that wait can be sent over another connection.
    pub(crate) fn is_repeatable(&self) -> bool {
        !self.look(|waiting| waiting.opaque_until > waiting.base + waiting.written as u64)
    }

    /// All bytes that the transport ever took.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// What `sent` is once everything that waits has left.
    pub(crate) fn sent_in_the_end(&self) -> u64 {
        self.sent + self.look(Backlog::left) as u64
    }

    /// Takes out everything that did not leave.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.waiting.as_deref().map(Backlog::rest);
        *self = Self::default();
        rest.unwrap_or_default()
    }

    fn look<T: Default>(&self, look: impl FnOnce(&Backlog) -> T) -> T {
        self.waiting.as_deref().map_or_else(T::default, look)
    }

    /// Writes at once, unless something waits. Returns how much was taken.
    #[inline]
    fn offer(&mut self, transport: &mut dyn Accept, before: &[u8], bytes: &[u8]) -> usize {
        if self.look(|waiting| !waiting.data.is_empty() || waiting.controls_written > 0) {
            return 0;
        }
        let both = [IoSlice::new(before), IoSlice::new(bytes)];
        let taken = match before.is_empty() {
            true => transport.accept(&both[1..]),
            false => transport.accept(&both),
        };
        self.sent += taken as u64;
        taken
    }
}

impl Backlog {
    /// As [`Outgoing::flush`]. Returns how much was taken.
    fn flush(&mut self, transport: &mut dyn Accept, may_insert: bool) -> u64 {
        let mut sent = 0;
        if self.controls_written > 0 && !self.flush_controls(transport, &mut sent) {
            return sent;
        }
        while self.written < self.data.len() {
            let written = self.written;
            let taken = self
                .data
                .with_slices(written, |slices| transport.accept(slices));
            if taken == 0 {
                return sent;
            }
            sent += taken as u64;
            self.written += taken;
            self.drop_written();
        }
        if may_insert {
            self.flush_controls(transport, &mut sent);
        }
        sent
    }

    fn is_empty(&self) -> bool {
        self.data.is_empty() && self.controls.is_empty()
    }

    fn queued(&self) -> usize {
        self.data.len() - self.written
    }

    /// Bytes that wait, of control frames too.
    fn left(&self) -> usize {
        self.queued() + self.controls.len() - self.controls_written
    }

    fn rest(&self) -> Vec<u8> {
        let mut rest = Vec::with_capacity(self.left());
        let controls = &self.controls[self.controls_written..];
        if self.controls_written > 0 {
            rest.extend_from_slice(controls);
        }
        for piece in self.data.from(self.written) {
            rest.extend_from_slice(piece);
        }
        if self.controls_written == 0 {
            rest.extend_from_slice(controls);
        }
        rest
    }

    #[cold]
    fn keep_messages(&mut self, all: &[u8], taken: usize, reader: Role) {
        let (mut start, mut end) = (0, 0);
        let first = self.data.len();
        while let Ok(Some((header, head))) = FrameHeader::parse(&all[end..], reader, true) {
            // The frames were whole when they came here.
            end += head + header.length as usize;
            if header.fin && end <= taken {
                start = end;
            } else if header.fin {
                self.ends
                    .push_back(self.base + (first + end - start) as u64);
            }
        }
        self.data.push(&all[start..]);
        self.written += taken.saturating_sub(start);
    }

    fn drop_written(&mut self) {
        let written = self.base + self.written as u64;
        let mut passed = None;
        while let Some(end) = self.ends.front().filter(|end| **end <= written) {
            passed = Some(*end);
            self.ends.pop_front();
        }
        if (self.base + 1..=written).contains(&self.opaque_until) {
            passed = passed.max(Some(self.opaque_until));
        }
        let drop = match passed {
            _ if self.written == self.data.len() => self.written,
            // Without a message that could be sent again nothing has to stay.
            None if self.ends.is_empty() => self.written,
            None => 0,
            Some(end) => (end - self.base) as usize,
        };
        self.data.advance(drop);
        self.base += drop as u64;
        self.written -= drop;
    }

    /// Whether all control frames have left.
    fn flush_controls(&mut self, transport: &mut dyn Accept, sent: &mut u64) -> bool {
        while self.controls_written < self.controls.len() {
            let taken = transport.accept(&[IoSlice::new(&self.controls[self.controls_written..])]);
            if taken == 0 {
                return false;
            }
            *sent += taken as u64;
            self.controls_written += taken;
        }
        self.controls = Vec::new();
        self.controls_written = 0;
        true
    }

    fn end(&self) -> u64 {
        self.base + self.data.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes `room` bytes.
    struct Narrow {
        room: usize,
        taken: Vec<u8>,
    }

    impl Narrow {
        fn new(room: usize) -> Self {
            let taken = Vec::new();
            Self { room, taken }
        }
    }

    impl Accept for Narrow {
        fn accept(&mut self, slices: &[IoSlice<'_>]) -> usize {
            let all: Vec<u8> = slices.iter().flat_map(|slice| slice.to_vec()).collect();
            let count = all.len().min(self.room);
            self.room -= count;
            self.taken.extend_from_slice(&all[..count]);
            count
        }
    }

    const MESSAGES: &[u8] = b"\x81\x01a\x01\x01b\x80\x01c\x81\x00";

    #[test]
    fn what_is_kept_takes_up_little_more_than_its_length() {
        let mut outgoing = Outgoing::default();
        let message = [&b"\x82\x7e\x03\xfc"[..], &[0; 1020]].concat();
        for kept in 1..=64 {
            outgoing.forward_messages(&mut Narrow::new(0), &[], &message, Role::Client);
            assert_eq!(outgoing.queued(), kept * 1024);
            let memory = outgoing.look(|waiting| waiting.data.memory());
            assert!(memory <= kept * 1072, "{kept}");
        }
    }

    #[test]
    fn a_message_that_did_not_leave_whole_is_sent_again_after_a_rewind() {
        let starts = [0, 3, 9, 11];
        for room in 0..=MESSAGES.len() {
            for cut in 0..MESSAGES.len() {
                let mut outgoing = Outgoing::default();
                let mut first = Narrow::new(room);
                let (before, bytes) = MESSAGES.split_at(cut);
                outgoing.forward_messages(&mut first, before, bytes, Role::Client);
                outgoing.flush(&mut first, true);
                let whole = starts
                    .iter()
                    .filter(|start| (1..=room).contains(*start))
                    .count();
                assert_eq!(outgoing.queued_messages(), 3 - whole, "{room}");
                let mut outgoing = outgoing.split_repeatable();
                let mut second = Narrow::new(100);
                outgoing.flush(&mut second, true);
                assert_eq!(second.taken, MESSAGES[starts[whole]..], "{room} {cut}");
                assert!(outgoing.is_empty());
            }
        }
    }

    #[test]
    fn control_frames_wait_behind_data_and_leave_whole() {
        let mut outgoing = Outgoing::default();
        let mut transport = Narrow::new(2);
        outgoing.forward(&mut transport, b"", b"\x82\x02ab");
        outgoing.push_control(b"\x89\x00");
        transport.room = 3;
        outgoing.flush(&mut transport, true);
        assert_eq!(transport.taken, b"\x82\x02ab\x89");
        outgoing.forward(&mut transport, b"", b"\x82\x00");
        transport.room = 100;
        outgoing.flush(&mut transport, true);
        assert_eq!(transport.taken, b"\x82\x02ab\x89\x00\x82\x00");
        assert_eq!((outgoing.sent(), outgoing.is_empty()), (8, true));
    }

    #[test]
    fn no_control_frame_goes_into_a_frame_that_is_cut_through() {
        let mut outgoing = Outgoing::default();
        let mut transport = Narrow::new(100);
        outgoing.forward(&mut transport, b"", b"\x82\x02a");
        outgoing.push_control(b"\x89\x00");
        outgoing.flush(&mut transport, false);
        outgoing.forward(&mut transport, b"", b"b");
        outgoing.flush(&mut transport, true);
        assert_eq!(transport.taken, b"\x82\x02ab\x89\x00");
    }

    #[test]
    fn what_was_cut_through_cannot_be_sent_again_until_it_has_left() {
        let mut outgoing = Outgoing::default();
        let mut transport = Narrow::new(2);
        outgoing.forward(&mut transport, b"", b"\x82\x02ab");
        outgoing.forward_messages(&mut transport, b"", MESSAGES, Role::Client);
        assert!(!outgoing.is_repeatable());
        transport.room = 3;
        outgoing.flush(&mut transport, true);
        assert!(outgoing.is_repeatable());
        let mut outgoing = outgoing.split_repeatable();
        let mut second = Narrow::new(100);
        outgoing.flush(&mut second, true);
        assert_eq!(second.taken, MESSAGES);
    }

    #[test]
    fn nothing_is_owned_once_everything_has_left() {
        let mut outgoing = Outgoing::default();
        outgoing.forward_messages(&mut Narrow::new(1), b"", MESSAGES, Role::Client);
        outgoing.push_control(b"\x89\x00");
        outgoing.flush(&mut Narrow::new(100), true);
        assert!(outgoing.waiting.is_none());
    }
}
