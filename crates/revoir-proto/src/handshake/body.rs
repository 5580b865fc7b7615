//! [`Refused`]: an answer other than 101, with the beginning of its body.

use bytes::{Buf, BytesMut};

use super::headers::Headers;
use crate::token_list::contains;

/// How much of the body of a refusal is kept, in bytes.
pub const REFUSED_BODY_MAX_BYTES: usize = 1024;

/// A server's answer that is not 101: the handshake was understood and refused (RFC 6455
/// section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The HTTP status, 200 to 999.
    pub status: u16,
    /// The header fields.
    pub headers: Headers,
    /// The first [`REFUSED_BODY_MAX_BYTES`] of the body, without chunked framing.
    pub body: Vec<u8>,
    /// Whether there is or may be more of the body, or less than announced came.
    pub body_cut: bool,
}

impl Refused {
    /// A refusal without a body, for tests and simulations: a real one comes from the handshake.
    #[must_use]
    pub const fn new(status: u16, headers: Headers) -> Self {
        Self {
            status,
            headers,
            body: Vec::new(),
            body_cut: false,
        }
    }

    /// The value of Retry-After as it stands: seconds or a date (RFC 9110 section 10.2.3).
    #[must_use]
    pub fn retry_after(&self) -> Option<&str> {
        self.headers.get_str("retry-after")
    }
}

/// Reads the body of a refusal. It only serves a person who looks for the reason, so framing that
/// breaks a rule ends it and is no error.
#[derive(Debug)]
pub(super) struct BodyReader {
    refused: Refused,
    framing: Framing,
}

#[derive(Debug)]
enum Framing {
    Length(u64),
    ChunkSize {
        size: u64,
        digits: u32,
        extension: bool,
    },
    ChunkData(u64),
    /// The CRLF after the data of a chunk.
    ChunkEnd,
    UntilEof,
}

impl BodyReader {
    pub(super) fn new(status: u16, headers: Headers) -> Self {
        let length = headers.get_str("content-length");
        // RFC 9112 section 6.3: the order of these rules.
        let framing = if matches!(status, 204 | 304) {
            Framing::Length(0)
        } else if contains(headers.get_all("transfer-encoding"), "chunked") {
            Framing::next_chunk()
        } else if let Some(length) = length.and_then(|length| length.parse().ok()) {
            Framing::Length(length)
        } else {
            Framing::UntilEof
        };
        Self {
            refused: Refused {
                status,
                headers,
                body: Vec::new(),
                body_cut: false,
            },
            framing,
        }
    }

    /// Takes bytes of the body from `input`. Returns whether the body is complete, or as much of
    /// it is there as is kept.
    pub(super) fn take_body(&mut self, input: &mut BytesMut) -> bool {
        loop {
            match &mut self.framing {
                Framing::Length(0) => return true,
                Framing::Length(left) | Framing::ChunkData(left @ 1..) => {
                    let room = usize::try_from(*left).unwrap_or(usize::MAX);
                    let taken = take(input, room, &mut self.refused.body);
                    *left -= taken as u64;
                    if self.is_full() {
                        self.refused.body_cut = !matches!(self.framing, Framing::Length(0));
                        return true;
                    }
                    if taken == 0 {
                        return false;
                    }
                }
                Framing::UntilEof => {
                    take(input, usize::MAX, &mut self.refused.body);
                    self.refused.body_cut = self.is_full();
                    return self.refused.body_cut;
                }
                Framing::ChunkData(0) => self.framing = Framing::ChunkEnd,
                Framing::ChunkEnd | Framing::ChunkSize { .. } => {
                    let Some(byte) = input.first().copied() else {
                        return false;
                    };
                    input.advance(1);
                    if self.take_chunk_framing(byte) {
                        return true;
                    }
                }
            }
        }
    }

    /// The refusal with what has come: nobody waits for the rest.
    pub(super) fn give_up(mut self) -> Refused {
        self.refused.body_cut = true;
        self.refused
    }

    /// The refusal with what came before the end of the stream.
    pub(super) fn finish(mut self) -> Refused {
        self.refused.body_cut |= !matches!(self.framing, Framing::Length(0) | Framing::UntilEof);
        self.refused
    }

    /// One byte between chunks (RFC 9112 section 7.1). Returns whether the body is over.
    fn take_chunk_framing(&mut self, byte: u8) -> bool {
        match &mut self.framing {
            Framing::ChunkSize {
                size,
                digits,
                extension,
            } => match byte {
                b'\r' => {}
                b'\n' if *digits == 0 => return self.cut(),
                b'\n' if *size == 0 => {
                    self.framing = Framing::Length(0);
                    return true;
                }
                b'\n' => self.framing = Framing::ChunkData(*size),
                _ if *extension => {}
                b';' | b' ' | b'\t' => *extension = true,
                _ => match char::from(byte).to_digit(16) {
                    Some(digit) if *digits < 15 => {
                        *size = *size * 16 + u64::from(digit);
                        *digits += 1;
                    }
                    _ => return self.cut(),
                },
            },
            _ => match byte {
                b'\r' => {}
                b'\n' => self.framing = Framing::next_chunk(),
                _ => return self.cut(),
            },
        }
        false
    }

    fn is_full(&self) -> bool {
        self.refused.body.len() == REFUSED_BODY_MAX_BYTES
    }

    fn cut(&mut self) -> bool {
        self.refused.body_cut = true;
        true
    }
}

impl Framing {
    fn next_chunk() -> Self {
        Self::ChunkSize {
            size: 0,
            digits: 0,
            extension: false,
        }
    }
}

/// Moves at most `room` bytes from `input` to the body, as long as it is not full.
fn take(input: &mut BytesMut, room: usize, body: &mut Vec<u8>) -> usize {
    let taken = input
        .len()
        .min(room)
        .min(REFUSED_BODY_MAX_BYTES - body.len());
    body.extend_from_slice(&input[..taken]);
    input.advance(taken);
    taken
}
