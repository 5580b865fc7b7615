//! [`Compressor`]: the messages of one direction, compressed (RFC 7692 section 7.2.1).

use std::fmt;

use zlib_rs::{Deflate, DeflateFlush, Status};

use super::TAIL;
use super::config::Direction;
use super::history::{History, last};
use super::pool::{Settings, give_deflate, take_deflate};

/// Compresses the messages that this endpoint sends.
///
/// # Memory
///
/// Nothing until the first message. From then on the state of zlib-rs at its default memory level:
/// 246 KiB of heap at 9 window bits, 248 at 10, 252 at 11, 260 at 12, 276 at 13, 308 at 14 and 372
/// at 15. Without context takeover it is lent for one message, and a thread keeps up to four such
/// states; with it, [`release`](Self::release) gives it back at any time. A kept history adds the
/// window.
pub struct Compressor {
    direction: Direction,
    level: u8,
    stream: Option<Box<Deflate>>,
    history: Option<Box<History>>,
}

/// A [`Compressor`] between two messages, as plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompressorState {
    /// The last bytes of plain data that were sent, at most the window; empty without context
    /// takeover or without a kept history.
    pub window: Vec<u8>,
}

impl Compressor {
    /// A compressor that keeps to `direction`; `level` is 0 to 9, higher numbers count as 9.
    #[must_use]
    pub fn new(direction: Direction, level: u8) -> Self {
        Self {
            direction,
            level: level.min(9),
            stream: None,
            history: None,
        }
    }

    /// The same compressor, which also keeps the last window of what it sends, so that an exported
    /// or released one goes on where it was. Without, the next message is compressed without
    /// reference to earlier ones, which every receiver accepts: only the ratio suffers.
    #[must_use]
    pub fn with_history(mut self) -> Self {
        if self.direction.context_takeover {
            let window = self.direction.max_window_bits.window();
            self.history = Some(Box::new(History::new(window)));
        }
        self
    }

    /// Goes on after an [`export`](Self::export). A window longer than the agreed one counts from
    /// its end. A kept history starts with `state.window`.
    #[must_use]
    pub fn import(direction: Direction, level: u8, state: &CompressorState) -> Self {
        let mut compressor = Self::new(direction, level).with_history();
        if let Some(history) = &mut compressor.history {
            history.push(&state.window);
        }
        compressor
    }

    /// The state between two messages. Costs a copy of the kept history.
    #[must_use]
    pub fn export(&self) -> CompressorState {
        CompressorState {
            window: self
                .history
                .as_ref()
                .map(|kept| kept.to_vec())
                .unwrap_or_default(),
        }
    }

    /// Appends the compressed form of `message` to `out`: the payload of a message whose first
    /// frame has RSV1 set. It may be longer than `message`.
    pub fn compress(&mut self, message: &[u8], out: &mut Vec<u8>) {
        if message.is_empty() {
            // 7.2.3.6: an empty stored block less its last four octets.
            out.push(0x00);
            return;
        }
        let start = out.len();
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.fresh_stream(),
        };
        if flush_message(&mut stream, message, out).is_some() && out.ends_with(&TAIL) {
            // 7.2.1: the tail is left out.
            out.truncate(out.len() - TAIL.len());
            if self.direction.context_takeover {
                self.stream = Some(stream);
            } else {
                give_deflate(self.settings(), stream);
            }
        } else {
            // zlib is not known to fail. If it does, the message goes out in stored blocks and the
            // next one is compressed by a fresh stream, so that sending never fails.
            out.truncate(start);
            store(message, out);
        }
        if let Some(history) = &mut self.history {
            history.push(message);
        }
    }

    /// What it keeps to.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Gives the state of zlib back, for a connection that may stay idle. The next message is
    /// compressed with the kept history, or without reference to earlier ones.
    pub fn release(&mut self) {
        self.stream = None;
    }

    /// Whether the state of zlib is held.
    #[must_use]
    pub fn is_allocated(&self) -> bool {
        self.stream.is_some()
    }

    fn settings(&self) -> Settings {
        // `WindowBits` is 9 to 15, which is what zlib asks for.
        (self.level, self.direction.max_window_bits.get())
    }

    fn fresh_stream(&self) -> Box<Deflate> {
        let mut stream = take_deflate(self.settings());
        let window = self.export().window;
        let window = last(&window, self.direction.max_window_bits.window());
        // A refused dictionary leaves a stream that refers to nothing earlier, which is as right.
        if !window.is_empty() && stream.set_dictionary(window).is_err() {
            stream = take_deflate(self.settings());
        }
        stream
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("direction", &self.direction)
            .field("level", &self.level)
            .field("is_allocated", &self.is_allocated())
            .finish_non_exhaustive()
    }
}

/// Compresses `message` up to a sync flush. `None` if zlib fails.
fn flush_message(stream: &mut Deflate, message: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut input = message;
    let mut room = message.len() / 4 + 64;
    loop {
        let (read, written) = (stream.total_in(), stream.total_out());
        let start = out.len();
        out.resize(start + room, 0);
        let status = stream
            .compress(input, &mut out[start..], DeflateFlush::SyncFlush)
            .ok()?;
        let used = usize::try_from(stream.total_in() - read).ok()?;
        let got = usize::try_from(stream.total_out() - written).ok()?;
        out.truncate(start + got);
        input = input.get(used..)?;
        // Room left over means that nothing is pending.
        if input.is_empty() && got < room {
            return Some(());
        }
        if status == Status::StreamEnd {
            return None;
        }
        // zlib repeats the flush marker if it begins with six bytes of room or less.
        room = 64.max(out.len() / 2);
    }
}

/// Writes `message` as stored blocks (RFC 1951 section 3.2.4), then an empty one less its last four
/// octets (RFC 7692 section 7.2.3.3).
fn store(message: &[u8], out: &mut Vec<u8>) {
    for block in message.chunks(usize::from(u16::MAX)) {
        // A block has at most 65,535 bytes, so its length fits.
        let len = block.len() as u16;
        out.push(0x00);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(block);
    }
    out.push(0x00);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::deflate::Decompressor;

    #[test]
    fn stored_message_is_the_example_of_rfc_7692_section_7_2_3_3() {
        let mut payload = Vec::new();
        store(b"Hello", &mut payload);
        let expected = [
            0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
        ];
        assert_eq!(payload, expected);
    }

    #[test]
    fn stored_message_of_several_blocks_comes_out_whole() {
        let message = vec![7; 200_000];
        let (mut payload, mut received) = (Vec::new(), Vec::new());
        store(&message, &mut payload);
        let mut receiver = Decompressor::new(Direction::default());
        let result = receiver.decompress(&payload, true, message.len(), &mut received);
        assert_eq!(result, Ok(()));
        assert!(received == message);
    }
}
