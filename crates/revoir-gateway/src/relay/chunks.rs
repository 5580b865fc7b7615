//! [`Chunks`]: bytes that wait, in pieces that are never moved.

use std::collections::VecDeque;
use std::io::IoSlice;

/// Pieces that are written at once.
const SLICES: usize = 16;

/// What a piece takes beside its bytes: its place in the list, and the allocator's own words.
#[cfg(test)]
const OVERHEAD: usize = 48;

/// The shortest piece, once there is more: short messages share one.
const SHORTEST: usize = 256;

/// Bytes that wait in pieces.
///
/// Thousands of clients that are held at once add a message each, again and again. A buffer that grows is
/// copied each time, and leaves a hole behind that is too small for the next one. A piece stays where it is, and
/// is freed once it has left.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    pieces: VecDeque<Vec<u8>>,
    /// How much at the start of the first piece has left.
    gone: usize,
    len: usize,
}

impl Chunks {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of memory that the pieces take.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        let pieces = self.pieces.iter();
        pieces.map(|piece| piece.capacity() + OVERHEAD).sum()
    }

    /// Adds `bytes` at the end.
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        if let Some(last) = self.pieces.back_mut() {
            let spare = last.capacity() - last.len();
            let (now, rest) = bytes.split_at(bytes.len().min(spare));
            last.extend_from_slice(now);
            self.len += now.len();
            bytes = rest;
        }
        if !bytes.is_empty() {
            let mut piece = Vec::with_capacity(bytes.len().max(SHORTEST.min(self.len / 8)));
            piece.extend_from_slice(bytes);
            self.len += bytes.len();
            self.pieces.push_back(piece);
        }
    }

    /// Hands the first pieces to `write`, as many as go at once, without the first `skip` bytes.
    pub(super) fn with_slices<T>(&self, skip: usize, write: impl FnOnce(&[IoSlice<'_>]) -> T) -> T {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(self.from(skip)) {
            *slice = IoSlice::new(piece);
            count += 1;
        }
        write(&slices[..count])
    }

    /// Everything but the first `skip` bytes, piece by piece.
    pub(super) fn from(&self, skip: usize) -> impl Iterator<Item = &[u8]> {
        let mut skip = self.gone + skip;
        self.pieces.iter().filter_map(move |piece| {
            let passed = skip.min(piece.len());
            skip -= passed;
            Some(&piece[passed..]).filter(|rest| !rest.is_empty())
        })
    }

    /// Drops the first `count` bytes, of those that are there.
    pub(super) fn advance(&mut self, count: usize) {
        let count = count.min(self.len);
        self.len -= count;
        self.gone += count;
        while let Some(first) = self.pieces.front().filter(|first| first.len() <= self.gone) {
            self.gone -= first.len();
            self.pieces.pop_front();
        }
        if self.is_empty() {
            // An idle connection owns no buffer.
            self.pieces = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Push(Vec<u8>),
        Advance(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let push = proptest::collection::vec(any::<u8>(), 0..200).prop_map(Step::Push);
        let step = prop_oneof![2 => push, 1 => (0_usize..300).prop_map(Step::Advance)];
        proptest::collection::vec(step, 0..60)
    }

    proptest! {
        #[test]
        fn they_are_what_a_single_buffer_would_be(steps in steps(), skip in 0_usize..300) {
            let (mut chunks, mut model) = (Chunks::default(), Vec::new());
            for step in steps {
                match step {
                    Step::Push(bytes) => {
                        chunks.push(&bytes);
                        model.extend_from_slice(&bytes);
                    }
                    Step::Advance(count) => {
                        chunks.advance(count);
                        model.drain(..count.min(model.len()));
                    }
                }
                prop_assert_eq!((chunks.len(), chunks.is_empty()), (model.len(), model.is_empty()));
                let skip = skip.min(model.len());
                prop_assert_eq!(chunks.from(skip).flatten().copied().collect::<Vec<_>>(), &model[skip..]);
                let written = chunks.with_slices(skip, |slices| {
                    slices.iter().flat_map(|slice| slice.to_vec()).collect::<Vec<_>>()
                });
                prop_assert!(model[skip..].starts_with(&written));
                prop_assert_eq!(written.is_empty(), skip == model.len());
            }
        }
    }

    #[test]
    fn little_goes_spare_and_nothing_stays_that_has_left() {
        let mut chunks = Chunks::default();
        for kept in 1..=64 {
            chunks.push(&[7; 1024]);
            assert!(chunks.memory() <= kept * 1072, "{kept}");
        }
        chunks.advance(60 * 1024);
        assert!(chunks.memory() <= 4 * 1072, "{}", chunks.memory());
        chunks.advance(4 * 1024);
        assert_eq!((chunks.memory(), chunks.len()), (0, 0));
        assert_eq!(chunks.pieces.capacity(), 0);
    }

    #[test]
    fn short_messages_share_pieces() {
        let mut chunks = Chunks::default();
        for _ in 0..1000 {
            chunks.push(&[7; 20]);
        }
        assert!(chunks.memory() <= 26_000, "{}", chunks.memory());
    }
}
