//! [`Output`]: frames on their way out.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::time::Duration;

use bytes::{Buf, Bytes};

use crate::frame::{FrameHeader, encode_frame};
use crate::nanos::Nanos;

/// From this length on, a payload that needs no mask is sent from its own buffer.
pub(crate) const SHARED_FROM: usize = 4096;

/// A buffer of this capacity is kept by an idle connection.
const KEPT_CAPACITY: usize = 128;

/// Whole frames in order. Small ones are collected in one buffer, which is kept while it is busy;
/// large payloads are held by reference.
#[derive(Debug, Default)]
pub(crate) struct Output {
    // Headers, and payloads that were copied.
    collected: Vec<u8>,
    // How many bytes at the start of `collected` are written.
    head: usize,
    // What stands between the collected bytes. Of the first one, only what is not written.
    #[expect(
        clippy::box_collection,
        reason = "8 bytes instead of 32 in every connection"
    )]
    shared: Option<Box<VecDeque<Shared>>>,
    pushed: u64,
    written: u64,
    // The last byte written, or the first one queued after an empty queue.
    progress: Nanos,
}

/// A payload that is held by reference.
#[derive(Debug)]
struct Shared {
    // How much of `collected` comes before it.
    at: usize,
    payload: Bytes,
}

/// The output queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSnapshot {
    /// The bytes that are queued.
    pub unwritten: Vec<u8>,
    /// How many bytes were written since the connection opened.
    pub written: u64,
    /// The last byte written, or the first one queued after an empty queue.
    pub progress: Duration,
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
    pub(crate) fn stuck_since(&self) -> Option<Nanos> {
        (self.pushed > self.written).then_some(self.progress)
    }

    /// Queues a frame with a copy of its payload, masked if the header has a key.
    #[inline(always)]
    pub(crate) fn push(&mut self, now: Nanos, header: FrameHeader, payload: &[u8]) {
        self.make_ready(now);
        let before = self.collected.len();
        encode_frame(header, payload, &mut self.collected);
        self.pushed += (self.collected.len() - before) as u64;
    }

    /// Queues an unmasked frame whose payload stays where it is.
    pub(crate) fn push_shared(&mut self, now: Nanos, header: FrameHeader, payload: Bytes) {
        debug_assert!(header.masking_key.is_none());
        self.make_ready(now);
        let length = payload.len() as u64;
        let (wire, end) = FrameHeader { length, ..header }.to_wire();
        self.collected.extend_from_slice(&wire[..end]);
        self.pushed += end as u64 + length;
        let at = self.collected.len();
        let shared = self.shared.get_or_insert_default();
        shared.push_back(Shared { at, payload });
    }

    /// Fills `slices` with what is to be written next, and returns how many it used.
    #[inline]
    pub(crate) fn fill<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        if self.has_shared() {
            return self.fill_from_parts(slices);
        }
        match slices.first_mut() {
            Some(slice) if self.head < self.collected.len() => {
                *slice = IoSlice::new(&self.collected[self.head..]);
                1
            }
            Some(_) | None => 0,
        }
    }

    fn fill_from_parts<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let (mut used, mut from) = (0, self.head);
        let mut put = |part: &'a [u8]| {
            if part.is_empty() {
                return true;
            }
            let slice = slices.get_mut(used);
            used += usize::from(slice.is_some());
            slice.map(|slice| *slice = IoSlice::new(part)).is_some()
        };
        for shared in self.shared.iter().flat_map(|shared| shared.iter()) {
            if !put(&self.collected[from..shared.at]) || !put(&shared.payload) {
                return used;
            }
            from = shared.at;
        }
        put(&self.collected[from..]);
        used
    }

    /// Whether a payload that is held by reference is queued.
    #[inline]
    fn has_shared(&self) -> bool {
        self.shared
            .as_deref()
            .is_some_and(|shared| !shared.is_empty())
    }

    /// What is queued and not written, in order.
    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = self.head;
        let shared = self.shared.iter().flat_map(|shared| shared.iter());
        let behind = shared.clone().next_back().map_or(from, |last| last.at);
        let pairs = shared.flat_map(move |shared| {
            let before = &self.collected[from..shared.at];
            from = shared.at;
            [before, &shared.payload]
        });
        pairs
            .chain([&self.collected[behind..]])
            .filter(|part| !part.is_empty())
    }

    /// Takes note that the first `count` bytes were written. More than is queued counts as all.
    #[inline]
    pub(crate) fn advance(&mut self, now: Nanos, count: usize) {
        let count = count.min(self.queued());
        if count == 0 {
            return;
        }
        self.progress = now;
        self.written += count as u64;
        self.head += match self.has_shared() {
            false => count,
            true => self.advance_shared(count),
        };
        if self.pushed == self.written {
            self.collected.clear();
            self.head = 0;
        }
    }

    /// Takes the written ones of the shared payloads away, and returns how many bytes were written
    /// of what is collected behind them.
    fn advance_shared(&mut self, mut count: usize) -> usize {
        let Some(shared) = &mut self.shared else {
            return count;
        };
        while let Some(first) = shared.front_mut() {
            let before = first.at - self.head;
            if count < before {
                break;
            }
            count -= before;
            self.head = first.at;
            if count < first.payload.len() {
                first.payload.advance(count);
                return 0;
            }
            count -= first.payload.len();
            shared.pop_front();
        }
        count
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
    #[inline]
    pub(crate) fn holds_memory(&self) -> bool {
        self.collected.capacity() > KEPT_CAPACITY || self.shared.is_some()
    }

    /// Gives the memory of an empty queue back.
    pub(crate) fn release(&mut self) {
        if self.queued() == 0 && self.holds_memory() {
            self.collected = Vec::new();
            self.shared = None;
        }
    }

    /// Takes the memory of `buffer` for what is queued next, unless it has some.
    #[inline]
    pub(crate) fn borrow_buffer(&mut self, buffer: &mut Vec<u8>) {
        if self.collected.capacity() == 0 {
            std::mem::swap(&mut self.collected, buffer);
        }
    }

    /// Gives the memory of an empty queue away. What is queued keeps memory of its own size.
    #[inline]
    pub(crate) fn return_buffer(&mut self, buffer: &mut Vec<u8>) {
        if self.collected.is_empty() {
            if self.collected.capacity() > buffer.capacity() {
                std::mem::swap(&mut self.collected, buffer);
            }
            if self.collected.capacity() > 0 {
                self.collected = Vec::new();
            }
        } else if self.collected.capacity() > KEPT_CAPACITY.max(2 * self.collected.len()) {
            self.collected.shrink_to_fit();
        }
    }

    pub(crate) fn export(&self) -> OutputSnapshot {
        OutputSnapshot {
            unwritten: self.parts().flatten().copied().collect(),
            written: self.written,
            progress: self.progress.into(),
        }
    }

    pub(crate) fn import(snapshot: &OutputSnapshot) -> Self {
        Self {
            collected: snapshot.unwritten.clone(),
            pushed: snapshot
                .written
                .saturating_add(snapshot.unwritten.len() as u64),
            written: snapshot.written,
            progress: snapshot.progress.into(),
            ..Self::default()
        }
    }

    /// What is to be done before something is queued.
    #[inline]
    fn make_ready(&mut self, now: Nanos) {
        if self.pushed == self.written {
            self.progress = now;
        }
        // Only once the written part is the larger one, so that each byte moves a few times only.
        if self.head > self.collected.len() / 2 {
            self.compact();
        }
    }

    /// Drops what is written of the collected bytes.
    #[cold]
    fn compact(&mut self) {
        self.collected.drain(..self.head);
        for shared in self.shared.iter_mut().flat_map(|shared| shared.iter_mut()) {
            shared.at -= self.head;
        }
        self.head = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Opcode;

    const NOW: Nanos = Nanos::ZERO;

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

    /// Takes `count` bytes out, in one write.
    fn drained_once(output: &mut Output, count: usize) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); 4];
        let used = output.fill(&mut slices);
        let mut bytes: Vec<u8> = slices[..used]
            .iter()
            .flat_map(|s| s.iter().copied())
            .collect();
        bytes.truncate(count);
        output.advance(NOW, count);
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
        let capacity = output.collected.capacity();
        assert!(capacity < 1024, "{capacity}");
    }

    #[test]
    fn headers_of_shared_payloads_do_not_pile_up_in_a_queue_that_never_runs_empty() {
        let large = Bytes::from(vec![7; SHARED_FROM]);
        let mut output = Output::default();
        output.push_shared(NOW, header(), large.clone());
        let mut first = drained_once(&mut output, 2);
        for _ in 0..1000 {
            output.push_shared(NOW, header(), large.clone());
            first = drained_once(&mut output, SHARED_FROM + 4);
        }
        // Two bytes of a header are written already: a payload, then the next header's start.
        assert_eq!(first[..2], [0x10, 0x00]);
        assert_eq!(first[SHARED_FROM + 2..], [0x82, 126]);
        let capacity = output.collected.capacity();
        assert!(capacity < 64, "{capacity}");
    }

    #[test]
    fn lent_memory_comes_back_unless_something_waits_in_it() {
        let mut output = Output::default();
        let mut lent = Vec::with_capacity(1000);
        output.borrow_buffer(&mut lent);
        assert_eq!(lent.capacity(), 0);
        output.push(NOW, header(), b"abc");
        output.return_buffer(&mut lent);
        assert_eq!(lent.capacity(), 0);
        assert!(output.collected.capacity() <= KEPT_CAPACITY);
        // It has memory, and takes no more.
        lent.reserve(1000);
        output.borrow_buffer(&mut lent);
        assert!(lent.capacity() >= 1000);
        assert_eq!(drained_once(&mut output, 5), [0x82, 3, b'a', b'b', b'c']);
        output.return_buffer(&mut lent);
        assert!(lent.capacity() >= 1000 && lent.is_empty());
        assert_eq!(output.collected.capacity(), 0);
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
