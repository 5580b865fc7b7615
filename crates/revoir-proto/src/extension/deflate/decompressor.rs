//! [`Decompressor`]: the messages of one direction, decompressed (RFC 7692 section 7.2.2).

use super::config::Direction;
use super::error::InflateError;
use super::history::{History, last};
use super::inflater::{Inflater, Outcome};

/// How many blocks with the BFINAL bit one message may have: each costs a fresh zlib state, out of
/// proportion to its two bytes.
const FINAL_BLOCKS_MAX: u32 = 1024;

/// The least room for output in one call of zlib.
const ROOM_MIN: usize = 256;

/// The most room for output in one call of zlib, which is filled with zeros first.
const ROOM_MAX: usize = 32 * 1024;

/// Decompresses the messages that this endpoint receives.
///
/// A sender that refers to data beyond its agreed window breaks RFC 7692 section 7.1.2. That is
/// always an error beyond 32 KiB; below, zlib-rs lets it pass as long as it has the data.
///
/// # Memory
///
/// Nothing until the first message. From then on the state of zlib-rs: 47 KiB of heap, whatever the
/// window bits. Without context takeover it is lent for one message, and a thread keeps up to four
/// such states; with it, there is a copy of the window too (32 KiB at 15 bits), as far as it has
/// data: [`export`](Self::export) needs it, and so does what follows a block with BFINAL. A message
/// that does not arrive in one piece also holds its compressed bytes. Output grows by doubling,
/// never past the limit.
///
/// # Truncated messages
///
/// A message that ends inside a block is an error, also if the tail of RFC 7692 section 7.2.1 could
/// be the middle of that block.
#[derive(Debug)]
pub struct Decompressor {
    direction: Direction,
    stream: Option<Inflater>,
    /// The last plain data of finished messages, with context takeover.
    history: History,
    message: MessageState,
    failed: Option<InflateError>,
}

/// The message being decompressed.
#[derive(Debug, Default)]
struct MessageState {
    /// Its compressed bytes, if it did not come in one piece.
    journal: Vec<u8>,
    /// Decompressed bytes so far.
    produced: usize,
    /// Compressed bytes so far.
    consumed: usize,
    final_blocks: u32,
    /// A block with BFINAL ended the zlib stream.
    ended: bool,
}

/// A [`Decompressor`] at any byte, as plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecompressorState {
    /// The last bytes of plain data before the unfinished message, at most the window; empty
    /// without context takeover.
    pub window: Vec<u8>,
    /// The compressed bytes of the unfinished message.
    pub unfinished: Vec<u8>,
}

impl Decompressor {
    /// A decompressor for messages compressed as `direction` says.
    #[must_use]
    pub fn new(direction: Direction) -> Self {
        Self {
            direction,
            stream: None,
            history: History::new(direction.max_window_bits.window()),
            message: MessageState::default(),
            failed: None,
        }
    }

    /// Goes on after an [`export`](Self::export), and returns what the unfinished message has
    /// decompressed to so far, at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`InflateError`] if the unfinished message in `state` cannot be decompressed.
    pub fn import(
        direction: Direction,
        state: &DecompressorState,
        limit: usize,
    ) -> Result<(Self, Vec<u8>), InflateError> {
        let mut decompressor = Self::new(direction);
        if direction.context_takeover && !state.window.is_empty() {
            decompressor.history.push(&state.window);
            let window = decompressor.history.to_vec();
            decompressor.stream = Some(Inflater::new(direction, &window)?);
        }
        let mut out = Vec::new();
        if !state.unfinished.is_empty() {
            decompressor.decompress(&state.unfinished, false, limit, &mut out)?;
        }
        Ok((decompressor, out))
    }

    /// The state after the bytes given so far. Costs a copy of the window and of the journal.
    pub fn export(&self) -> DecompressorState {
        DecompressorState {
            window: self.history.to_vec(),
            unfinished: self.message.journal.clone(),
        }
    }

    /// Decompresses the next bytes of a message and appends the result to `out`; `fin` says that
    /// they are the last. `out` holds what this message has decompressed to so far, and nothing
    /// is taken from it before `fin`. `limit` bounds the whole message, in decompressed bytes.
    ///
    /// # Errors
    ///
    /// [`InflateError`], as soon as it can be told; the same again from then on.
    pub fn decompress(
        &mut self,
        chunk: &[u8],
        fin: bool,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), InflateError> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        let result = self.decompress_chunk(chunk, fin, limit, out);
        if let Err(error) = result {
            self.failed = Some(error);
            self.stream = None;
            self.message = MessageState::default();
        }
        result
    }

    /// Whether the state of zlib is held.
    #[must_use]
    pub fn is_allocated(&self) -> bool {
        self.stream.is_some()
    }

    fn decompress_chunk(
        &mut self,
        chunk: &[u8],
        fin: bool,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), InflateError> {
        if !chunk.is_empty() {
            let compressed_limit = compressed_limit(limit);
            let left = compressed_limit.saturating_sub(self.message.consumed);
            let (within, beyond) = chunk.split_at(chunk.len().min(left));
            self.message.consumed += within.len();
            if !fin {
                self.message.journal.extend_from_slice(within);
            }
            self.inflate(within, limit, out)?;
            // After what is within, so that the outcome does not depend on how the bytes came.
            if !beyond.is_empty() {
                return Err(InflateError::TooLongCompressed {
                    limit: compressed_limit,
                });
            }
        }
        if fin {
            self.finish_message(out)?;
        }
        Ok(())
    }

    /// 7.2.2: a message ends with the tail that the sender left out.
    fn finish_message(&mut self, out: &[u8]) -> Result<(), InflateError> {
        // A message without a byte, or one that stops right after a final block (7.2.3.4 wants one
        // more octet there), can only mean one thing, so it is accepted.
        if !self.message.ended
            && let Some(stream) = self.stream.as_mut().filter(|_| self.message.consumed > 0)
        {
            match stream.end_message() {
                Outcome::Open => {}
                Outcome::Ended => self.end_stream()?,
                Outcome::Corrupt => return Err(InflateError::Truncated),
            }
        }
        if self.direction.context_takeover {
            if self.message.ended {
                self.restart(out)?;
            }
            // `out` is this message.
            self.history.push(last(out, self.message.produced));
        } else if let Some(stream) = self.stream.take() {
            stream.give_back();
        }
        self.message = MessageState::default();
        Ok(())
    }

    /// Feeds `input` to zlib until nothing of it is left and nothing is pending.
    fn inflate(
        &mut self,
        mut input: &[u8],
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), InflateError> {
        let mut pending = false;
        while pending || !input.is_empty() {
            if self.message.ended {
                self.restart(out)?;
            }
            let step = self.step(input, limit, out)?;
            input = input.get(step.used..).unwrap_or_default();
            pending = step.filled;
            if step.ended {
                self.end_stream()?;
                pending = false;
            } else if step.used == 0 && step.got == 0 && !input.is_empty() {
                return Err(InflateError::Corrupt);
            }
        }
        Ok(())
    }

    /// One call of zlib. Room for output grows with the output, never past `limit`; at the limit
    /// a byte of room on the side tells whether there is more.
    fn step(
        &mut self,
        input: &[u8],
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<Inflation, InflateError> {
        let too_big = InflateError::TooBig { limit };
        let produced = self.message.produced;
        let left = limit.checked_sub(produced).ok_or(too_big)?;
        let stream = if let Some(stream) = &mut self.stream {
            stream
        } else {
            let stream = Inflater::new(self.direction, &[])?;
            self.stream.insert(stream)
        };
        let mut beyond = [0; 1];
        let (step, room) = if left == 0 {
            (stream.feed(input, &mut beyond), 0)
        } else {
            let start = out.len();
            let room = input.len().saturating_mul(4).clamp(ROOM_MIN, ROOM_MAX);
            let room = room.min(left);
            if out.capacity() - start < room {
                out.reserve_exact(produced.max(room).min(left));
            }
            out.resize(start + room, 0);
            let step = stream.feed(input, &mut out[start..]);
            out.truncate(start + step.got);
            (step, room)
        };
        if step.got > left {
            return Err(too_big);
        }
        self.message.produced += step.got;
        if step.outcome == Outcome::Corrupt {
            return Err(InflateError::Corrupt);
        }
        Ok(Inflation {
            used: step.used,
            got: step.got,
            filled: step.got > 0 && step.got == room,
            ended: step.outcome == Outcome::Ended,
        })
    }

    /// Takes note of the end of a block with BFINAL.
    fn end_stream(&mut self) -> Result<(), InflateError> {
        self.message.ended = true;
        self.message.final_blocks += 1;
        if self.message.final_blocks > FINAL_BLOCKS_MAX {
            return Err(InflateError::TooManyFinalBlocks {
                limit: FINAL_BLOCKS_MAX,
            });
        }
        Ok(())
    }

    /// 7.2.3.4: after a block with BFINAL the next one begins at the next octet, and may refer to
    /// what came before. zlib starts over without a window, so it is given one.
    fn restart(&mut self, out: &[u8]) -> Result<(), InflateError> {
        let window = self.direction.max_window_bits.window();
        let produced = last(out, self.message.produced.min(window));
        let mut primed = self.history.last(window - produced.len());
        primed.extend_from_slice(produced);
        self.message.ended = false;
        self.stream = Some(Inflater::new(self.direction, &primed)?);
        Ok(())
    }
}

/// What one call of zlib did to the message.
struct Inflation {
    used: usize,
    got: usize,
    /// The room for output is used up, so that more may be pending.
    filled: bool,
    /// A block with BFINAL is over.
    ended: bool,
}

/// How many compressed bytes a message may have: as many as the message itself, and room for the
/// most that deflate and frequent flushes add.
fn compressed_limit(limit: usize) -> usize {
    limit.saturating_add(limit / 8).saturating_add(1024)
}
