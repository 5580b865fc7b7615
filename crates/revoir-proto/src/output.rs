//! [`Output`]: frames on their way out.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::time::Duration;

use bytes::Bytes;

use crate::frame::{FrameHeader, encode_frame};
use crate::snapshot::OutputSnapshot;

/// From this length on, a payload that needs no mask is sent from its own buffer.
pub(crate) const SHARED_FROM: usize = 4096;

/// A buffer of this capacity is kept by an idle connection.
const KEPT_CAPACITY: usize = 128;

/// Whole frames in order. Small ones are collected in one buffer, which is kept while it is busy;
/// large payloads are held by reference.
#[derive(Debug, Default)]
pub(crate) struct Output {
    segments: VecDeque<Segment>,
    // Comes after the segments.
    tail: Vec<u8>,
    // Bytes that are already written of the first segment, or of the tail if there is none.
    head: usize,
    pushed: u64,
    written: u64,
    // The last byte written, or the first one queued after an empty queue.
    progress: Duration,
}

#[derive(Debug)]
enum Segment {
    Collected(Vec<u8>),
    Shared(Bytes),
}

impl Segment {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Collected(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl Output {
    /// Bytes that are queued and not written.
    #[inline]
    pub(crate) fn queued(&self) -> usize {
        // Everything queued is in memory, so the difference fits.
        (self.pushed - self.written) as usize
    }

    /// All bytes ever queued: the position at which the last frame ends.
    #[inline]
    pub(crate) fn pushed(&self) -> u64 {
        self.pushed
    }

    /// All bytes ever written.
    #[inline]
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Since when the peer has taken nothing. `None` while nothing is queued.
    pub(crate) fn stuck_since(&self) -> Option<Duration> {
        (self.pushed > self.written).then_some(self.progress)
    }

    /// Queues a frame with a copy of its payload, masked if the header has a key.
    #[inline]
    pub(crate) fn push(&mut self, now: Duration, header: FrameHeader, payload: &[u8]) {
        self.note_first(now);
        self.compact();
        let before = self.tail.len();
        encode_frame(header, payload, &mut self.tail);
        self.pushed += (self.tail.len() - before) as u64;
    }

    /// Queues an unmasked frame whose payload stays where it is.
    pub(crate) fn push_shared(&mut self, now: Duration, header: FrameHeader, payload: Bytes) {
        debug_assert!(header.masking_key.is_none());
        self.note_first(now);
        let (wire, end) = FrameHeader {
            length: payload.len() as u64,
            ..header
        }
        .to_wire();
        self.tail.extend_from_slice(&wire[..end]);
        self.pushed += (end + payload.len()) as u64;
        let collected = std::mem::take(&mut self.tail);
        self.segments.push_back(Segment::Collected(collected));
        self.segments.push_back(Segment::Shared(payload));
    }

    /// Fills `slices` with what is to be written next, and returns how many it used.
    #[inline]
    pub(crate) fn fill<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        if !self.segments.is_empty() {
            return self.fill_from_segments(slices);
        }
        match slices.first_mut() {
            Some(slice) if self.head < self.tail.len() => {
                *slice = IoSlice::new(&self.tail[self.head..]);
                1
            }
            Some(_) | None => 0,
        }
    }

    fn fill_from_segments<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let parts = self
            .segments
            .iter()
            .map(Segment::as_slice)
            .chain([&self.tail[..]]);
        let mut used = 0;
        let mut skip = self.head;
        for part in parts {
            let part = &part[skip..];
            skip = 0;
            if part.is_empty() {
                continue;
            }
            let Some(slice) = slices.get_mut(used) else {
                break;
            };
            *slice = IoSlice::new(part);
            used += 1;
        }
        used
    }

    /// Takes note that the first `count` bytes were written. More than is queued counts as all.
    #[inline]
    pub(crate) fn advance(&mut self, now: Duration, count: usize) {
        let count = count.min(self.queued());
        if count == 0 {
            return;
        }
        self.progress = now;
        self.written += count as u64;
        self.head += count;
        while let Some(first) = self.segments.front() {
            let length = first.as_slice().len();
            if self.head < length {
                return;
            }
            self.head -= length;
            self.segments.pop_front();
        }
        if self.head == self.tail.len() {
            self.tail.clear();
            self.head = 0;
        }
    }

    /// Throws away what is queued, and returns how many bytes that were.
    pub(crate) fn cut(&mut self) -> u64 {
        let unsent = self.pushed - self.written;
        *self = Self {
            pushed: self.written,
            written: self.written,
            ..Self::default()
        };
        unsent
    }

    /// Whether an empty queue holds on to memory.
    pub(crate) fn holds_memory(&self) -> bool {
        self.tail.capacity() > KEPT_CAPACITY || self.segments.capacity() > 0
    }

    /// Gives the memory of an empty queue back.
    pub(crate) fn release(&mut self) {
        if self.queued() == 0 && self.holds_memory() {
            self.tail = Vec::new();
            self.segments = VecDeque::new();
        }
    }

    pub(crate) fn export(&self) -> OutputSnapshot {
        let parts = self
            .segments
            .iter()
            .map(Segment::as_slice)
            .chain([&self.tail[..]]);
        let unwritten: Vec<u8> = parts.flatten().skip(self.head).copied().collect();
        OutputSnapshot {
            unwritten,
            written: self.written,
            progress: self.progress,
        }
    }

    pub(crate) fn import(snapshot: &OutputSnapshot) -> Self {
        Self {
            tail: snapshot.unwritten.clone(),
            pushed: snapshot
                .written
                .saturating_add(snapshot.unwritten.len() as u64),
            written: snapshot.written,
            progress: snapshot.progress,
            ..Self::default()
        }
    }

    #[inline]
    fn note_first(&mut self, now: Duration) {
        if self.pushed == self.written {
            self.progress = now;
        }
    }

    /// Drops what is written of the tail, once that is the larger part.
    #[inline]
    fn compact(&mut self) {
        if self.head > 0 && self.segments.is_empty() && self.head >= self.tail.len() / 2 {
            self.tail.drain(..self.head);
            self.head = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Opcode;

    const NOW: Duration = Duration::ZERO;

    fn header() -> FrameHeader {
        FrameHeader {
            fin: true,
            rsv1: false,
            opcode: Opcode::Binary,
            masking_key: None,
            length: 0,
        }
    }

    /// Takes everything out, `step` bytes at a time, through at most `width` slices.
    fn drained(output: &mut Output, step: usize, width: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while output.queued() > 0 {
            let mut slices = [IoSlice::new(&[]); 4];
            let used = output.fill(&mut slices[..width]);
            let mut taken = 0;
            for slice in &slices[..used] {
                let part = slice.len().min(step - taken);
                bytes.extend_from_slice(&slice[..part]);
                taken += part;
            }
            output.advance(NOW, taken);
        }
        bytes
    }

    #[test]
    fn small_and_large_frames_leave_in_order_whatever_is_taken_at_once() {
        let large = Bytes::from(vec![7; SHARED_FROM]);
        let mut expected = vec![0x82, 1, b'a', 0x82, 126, 0x10, 0x00];
        expected.extend_from_slice(&large);
        expected.extend_from_slice(&[0x82, 1, b'b', 0x82, 1, b'c']);
        for step in [1, 7, 8, 4096, 10_000] {
            for width in 1..=4 {
                let mut output = Output::default();
                output.push(NOW, header(), b"a");
                output.push_shared(NOW, header(), large.clone());
                output.push(NOW, header(), b"b");
                output.push(NOW, header(), b"c");
                assert_eq!(output.export().unwritten, expected);
                assert_eq!(
                    drained(&mut output, step, width),
                    expected,
                    "{step} {width}"
                );
                assert_eq!(output.written(), expected.len() as u64);
                output.release();
                assert!(!output.holds_memory());
            }
        }
    }

    #[test]
    fn a_queue_that_never_runs_empty_does_not_grow() {
        let mut output = Output::default();
        output.push(NOW, header(), &[0; 50]);
        for _ in 0..1000 {
            output.push(NOW, header(), &[0; 50]);
            output.advance(NOW, 52);
        }
        assert!(output.tail.capacity() < 1024, "{}", output.tail.capacity());
    }

    #[test]
    fn more_than_is_queued_counts_as_all_and_a_cut_counts_the_rest() {
        let mut output = Output::default();
        output.push(NOW, header(), b"abc");
        output.advance(NOW, 100);
        assert_eq!((output.queued(), output.written()), (0, 5));
        output.push(NOW, header(), b"abc");
        output.advance(NOW, 2);
        assert_eq!((output.cut(), output.queued()), (3, 0));
    }
}
