//! [`Utf8Stream`]: a UTF-8 check over text that arrives in pieces (RFC 6455 section 8.1).

use std::str;

use crate::ascii::ascii_start;
use crate::error::ProtocolError;

/// Checks text piece by piece. A byte that no continuation could make right fails at once;
/// a code point that is cut between two pieces does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Utf8Stream {
    // The start of a code point, at most three bytes.
    cut: [u8; 3],
    cut_len: u8,
}

impl Utf8Stream {
    /// The bytes of the code point that is unfinished.
    fn cut(&self) -> &[u8] {
        &self.cut[..usize::from(self.cut_len)]
    }

    /// The next piece; `ends`: the last one.
    #[inline]
    pub(crate) fn push(&mut self, piece: &[u8], ends: bool) -> Result<(), ProtocolError> {
        self.push_from(ascii_start(piece), piece, ends)
    }

    /// [`push`](Self::push) for a piece whose first `ascii` bytes are known to be ASCII.
    #[inline]
    pub(crate) fn push_from(
        &mut self,
        ascii: usize,
        piece: &[u8],
        ends: bool,
    ) -> Result<(), ProtocolError> {
        match self.cut_len == 0 {
            true if ascii == piece.len() => Ok(()),
            true if ends => check_whole(&piece[ascii..]),
            true => self.push_piece(&piece[ascii..]),
            false => self.push_behind_cut(piece, ends),
        }
    }

    #[inline(never)]
    fn push_behind_cut(&mut self, piece: &[u8], ends: bool) -> Result<(), ProtocolError> {
        let piece = self.complete_cut(piece)?;
        self.push_piece(piece)?;
        match ends {
            true => self.finish(),
            false => Ok(()),
        }
    }

    fn push_piece(&mut self, piece: &[u8]) -> Result<(), ProtocolError> {
        let (whole, cut) = piece.split_at(piece.len() - cut_length(piece));
        check_whole(whole)?;
        if !cut.is_empty() {
            match str::from_utf8(cut) {
                Err(error) if error.error_len().is_none() => {}
                Ok(_) | Err(_) => return Err(ProtocolError::TextNotUtf8),
            }
            self.cut[..cut.len()].copy_from_slice(cut);
            self.cut_len = cut.len() as u8;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ProtocolError> {
        if std::mem::take(self).cut_len > 0 {
            // RFC 6455 section 8.1: the last code point is complete.
            return Err(ProtocolError::TextNotUtf8);
        }
        Ok(())
    }

    /// Completes the unfinished code point from `piece`, and returns what is left of it.
    fn complete_cut<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], ProtocolError> {
        let mut rest = piece;
        while self.cut_len > 0 {
            let Some((&byte, after)) = rest.split_first() else {
                break;
            };
            rest = after;
            let have = usize::from(self.cut_len);
            let mut point = [0; 4];
            point[..have].copy_from_slice(self.cut());
            point[have] = byte;
            match str::from_utf8(&point[..=have]) {
                Ok(_) => self.cut_len = 0,
                // Three bytes of four at most, so there is room for one more.
                Err(error) if error.error_len().is_none() => {
                    self.cut[have] = byte;
                    self.cut_len += 1;
                }
                Err(_) => return Err(ProtocolError::TextNotUtf8),
            }
        }
        Ok(rest)
    }
}

fn check_whole(text: &[u8]) -> Result<(), ProtocolError> {
    // RFC 6455 section 8.1: text that is not UTF-8 fails the connection.
    match simdutf8::basic::from_utf8(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(ProtocolError::TextNotUtf8),
    }
}

/// How many bytes at the end of `text` are the start of a code point that goes on behind it.
#[inline]
fn cut_length(text: &[u8]) -> usize {
    for (behind, byte) in (1..4).zip(text.iter().rev()) {
        let length = match byte {
            0x80..=0xBF => continue,
            0x00..=0x7F => 1,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xFF => 4,
        };
        return if length > behind { behind } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_pieces(pieces: &[&[u8]]) -> Result<(), ProtocolError> {
        let mut stream = Utf8Stream::default();
        for piece in pieces {
            stream.push(piece, false)?;
        }
        stream.push(b"", true)
    }

    #[test]
    fn a_text_cut_anywhere_is_right() {
        let text = "aé重\u{10FFFF}z and a tail that is longer than one vector, for the fast path";
        let bytes = text.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(in_pieces(&pieces), Ok(()));
            }
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(in_pieces(&single), Ok(()));
    }

    #[test]
    fn a_code_point_behind_blocks_of_ascii_is_looked_at() {
        for ascii in [1023, 1024, 1025, 2048] {
            let text = ["a".repeat(ascii), "é".to_owned(), "z".repeat(2000)].concat();
            for cut in ascii - 1..ascii + 4 {
                let (head, tail) = text.as_bytes().split_at(cut);
                assert_eq!(in_pieces(&[head, tail]), Ok(()), "{ascii} {cut}");
            }
            let mut bad = text.into_bytes();
            bad[ascii + 1] = b'z';
            assert_eq!(in_pieces(&[&bad]), Err(ProtocolError::TextNotUtf8));
        }
    }

    #[test]
    fn the_first_bad_byte_fails_wherever_the_cut_is() {
        // Each ends with its first bad byte: overlong, surrogate, above the last plane,
        // a lone continuation, a byte that never occurs, an interrupted code point.
        let cases: [&[u8]; 8] = [
            b"\xC0",
            b"\xE0\x80",
            b"\xED\xA0",
            b"\xF4\x90",
            b"\x80",
            b"\xFF",
            b"\xE9\x87a",
            b"\xF0\x9F\x98\xC3",
        ];
        for bad in cases {
            for cut in 0..bad.len() {
                let mut stream = Utf8Stream::default();
                let before = stream.push(&bad[..cut], false);
                assert_eq!(before, Ok(()), "{bad:x?} {cut}");
                let after = stream.push(&bad[cut..], false);
                assert_eq!(after, Err(ProtocolError::TextNotUtf8), "{bad:x?} {cut}");
            }
        }
    }

    #[test]
    fn a_text_that_ends_inside_a_code_point_fails_at_its_end() {
        for cut in 1..4 {
            let piece = &"\u{1F600}".as_bytes()[..cut];
            assert_eq!(in_pieces(&[piece]), Err(ProtocolError::TextNotUtf8));
        }
    }
}
