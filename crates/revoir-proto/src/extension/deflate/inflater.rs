//! [`Inflater`]: one raw DEFLATE stream (RFC 1951) on its way through zlib.

use std::fmt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::TAIL;
use super::config::Direction;
use super::error::InflateError;
use super::pool::{give_inflate, take_inflate};

/// A stored block without data and without BFINAL.
const EMPTY_BLOCK: [u8; 5] = [0x00, 0x00, 0x00, 0xff, 0xff];

/// The state of zlib for a stream that has not ended.
pub(super) struct Inflater {
    zlib: Box<Inflate>,
    bits: u8,
}

/// What one call of zlib did.
pub(super) struct Step {
    /// How many bytes of the input it took.
    pub(super) used: usize,
    /// How many bytes it wrote.
    pub(super) got: usize,
    /// What that leads to.
    pub(super) outcome: Outcome,
}

/// Where a stream is after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It goes on.
    Open,
    /// A block with BFINAL is over, and the stream with it.
    Ended,
    /// It is no DEFLATE stream. What came out before is right.
    Corrupt,
}

impl Inflater {
    /// The start of a stream whose data may refer to `window`.
    pub(super) fn new(direction: Direction, window: &[u8]) -> Result<Self, InflateError> {
        // `WindowBits` is 9 to 15, which is what this constructor asks for.
        let bits = direction.max_window_bits.get();
        let mut zlib = take_inflate(bits);
        if !window.is_empty() {
            zlib.set_dictionary(window)
                .map_err(|_| InflateError::Corrupt)?;
        }
        Ok(Self { zlib, bits })
    }

    /// Keeps the state for another message, which does not refer to this one.
    pub(super) fn give_back(self) {
        give_inflate(self.bits, self.zlib);
    }

    /// Decompresses `input` into `room`, as far as both go.
    pub(super) fn feed(&mut self, input: &[u8], room: &mut [u8]) -> Step {
        self.step(input, room, InflateFlush::NoFlush)
    }

    /// Takes the end of a message: the tail that the sender left out (RFC 7692 section 7.2.2).
    /// It is corrupt if the message ends inside a block.
    ///
    /// The bytes of the tail may also be the middle of a block that is still open. So zlib is given
    /// more than the tail, and told to stop where a block ends: that is right behind the tail, or
    /// the tail has ended none. The block may still have ended inside the last byte of the tail.
    /// The bits that are left of it are ones then, and what they begin is no empty block.
    pub(super) fn end_message(&mut self) -> Outcome {
        let probe: [u8; TAIL.len() + EMPTY_BLOCK.len()] =
            std::array::from_fn(|at| match at.checked_sub(TAIL.len()) {
                None => TAIL[at],
                Some(at) => EMPTY_BLOCK[at],
            });
        let tail = self.step(&probe, &mut [0; 1], InflateFlush::Block);
        if (tail.used, tail.got, tail.outcome) != (TAIL.len(), 0, Outcome::Open) {
            return Outcome::Corrupt;
        }
        let next = self.feed(&EMPTY_BLOCK, &mut [0; 1]);
        match (next.used, next.got, next.outcome) {
            (used, 0, Outcome::Open) if used == EMPTY_BLOCK.len() => Outcome::Open,
            // The block that the tail has ended was final: zlib has only waited to say so.
            (0, 0, Outcome::Ended) => Outcome::Ended,
            _ => Outcome::Corrupt,
        }
    }

    fn step(&mut self, input: &[u8], room: &mut [u8], flush: InflateFlush) -> Step {
        let (read, written) = (self.zlib.total_in(), self.zlib.total_out());
        let outcome = match self.zlib.decompress(input, room, flush) {
            Ok(Status::Ok | Status::BufError) => Outcome::Open,
            Ok(Status::StreamEnd) => Outcome::Ended,
            Err(_) => Outcome::Corrupt,
        };
        Step {
            // The counts are of bytes in memory, so they fit.
            used: (self.zlib.total_in() - read) as usize,
            got: (self.zlib.total_out() - written) as usize,
            outcome,
        }
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater")
            .field("total_in", &self.zlib.total_in())
            .field("total_out", &self.zlib.total_out())
            .finish()
    }
}
