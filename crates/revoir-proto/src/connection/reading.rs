//! [`Reading`]: from bytes to messages.

use bytes::{Buf, Bytes, BytesMut};

use crate::compression::Compression;
use crate::error::ProtocolError;
use crate::frame::{Decoder, HeaderRules, Opcode};
use crate::message::{Assembler, Message};

/// What becomes of input.
#[derive(Debug)]
pub(super) enum Receive {
    /// It is decoded.
    Decoding(Reading),
    /// It is thrown away, for good: nothing is left that could decode it.
    Discarding,
}

/// The way from bytes to messages.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) decoder: Decoder,
    pub(super) assembler: Assembler,
}

/// What the bytes contained.
pub(super) enum Received {
    Message(Message),
    Control(Opcode, Bytes),
}

impl Reading {
    pub(super) fn new(rules: HeaderRules) -> Self {
        Self {
            decoder: Decoder::new(rules),
            assembler: Assembler::default(),
        }
    }

    /// The next message or control frame. Without one, all of `input` was taken.
    #[inline]
    pub(super) fn next(
        &mut self,
        input: &mut BytesMut,
        compression: Option<&mut Compression>,
        limit: usize,
    ) -> Result<Option<Received>, ProtocolError> {
        match self.whole_message(input, limit)? {
            Some(message) => Ok(Some(Received::Message(message))),
            None => self.next_of_any_kind(input, compression, limit),
        }
    }

    /// Takes `bytes` if all of them are payload inside an unfinished data frame, and may be there.
    /// If not, nothing has changed.
    pub(super) fn take_payload(&mut self, bytes: &[u8]) -> bool {
        let Some(piece) = self.decoder.next_piece(bytes.len()) else {
            return false;
        };
        let is_inside = piece.missing > 0 && !bytes.is_empty();
        let taken =
            is_inside && self.assembler.copies(&piece) && self.assembler.try_append(&piece, bytes);
        if taken {
            self.decoder.skip(&piece);
        }
        taken
    }

    fn next_of_any_kind(
        &mut self,
        input: &mut BytesMut,
        mut compression: Option<&mut Compression>,
        limit: usize,
    ) -> Result<Option<Received>, ProtocolError> {
        loop {
            if !self.decoder.has_header() {
                let Some(header) = self.decoder.poll_header(input)? else {
                    return Ok(None);
                };
                self.assembler.begin(&header, limit)?;
            }
            let message = match self.decoder.next_piece(input.len()) {
                Some(piece) if self.assembler.copies(&piece) => {
                    let message = self.assembler.append(&piece, &input[..piece.length])?;
                    self.decoder.skip(&piece);
                    advance(input, piece.length);
                    message
                }
                Some(_) | None => {
                    let Some(chunk) = self.decoder.poll_payload(input) else {
                        return Ok(None);
                    };
                    let opcode = chunk.header.opcode;
                    if opcode.is_control() {
                        let payload = chunk.into_plain().freeze();
                        return Ok(Some(Received::Control(opcode, payload)));
                    }
                    let compression = compression.as_deref_mut();
                    self.assembler.push(chunk, compression, limit)?
                }
            };
            if let Some(message) = message {
                return Ok(Some(Received::Message(message)));
            }
            if input.is_empty() {
                return Ok(None);
            }
        }
    }
}

/// Drops the first `length` bytes, and with the last of them the buffer, so that an idle connection
/// keeps none.
#[inline]
fn advance(input: &mut BytesMut, length: usize) {
    if input.len() == length {
        *input = BytesMut::new();
    } else {
        input.advance(length);
    }
}
