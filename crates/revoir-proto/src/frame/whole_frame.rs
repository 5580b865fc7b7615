//! [`WholeFrame`]: the usual frame, recognised at once.

use std::ops::Range;

use crate::frame::header::{FIN, MASK, check_second, parse_length};
use crate::frame::{HeaderRules, Mask, Opcode};

const TEXT: u8 = FIN | Opcode::Text.number();
const BINARY: u8 = FIN | Opcode::Binary.number();

/// A frame that is a message of its own and is there to its last byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WholeFrame {
    /// Whether it is text. It is binary otherwise.
    pub(crate) text: bool,
    /// The mask of the payload.
    pub(crate) mask: Option<Mask>,
    /// Where the payload stands.
    pub(crate) payload: Range<usize>,
}

impl WholeFrame {
    /// The frame at the start of `input`, where a message may begin.
    ///
    /// `None` is no verdict: whatever is unusual, missing or wrong is the
    /// [`Decoder`](crate::frame::Decoder)'s to tell apart.
    #[inline]
    pub(crate) fn find(input: &[u8], rules: HeaderRules) -> Option<Self> {
        let &[first, second] = input.first_chunk()?;
        let (text, opcode) = match first {
            TEXT => (true, Opcode::Text),
            BINARY => (false, Opcode::Binary),
            _ => return None,
        };
        check_second(second, opcode, rules).ok()?;
        let (length, mut start) = parse_length(input, second & !MASK).ok()??;
        let mut mask = None;
        if second & MASK != 0 {
            mask = Some(Mask::new(*input.get(start..)?.first_chunk()?));
            start += 4;
        }
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        (end <= input.len()).then_some(Self {
            text,
            mask,
            payload: start..end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FrameHeader;
    use crate::role::Role;

    /// What the general decoder makes of it.
    fn by_header(input: &[u8], rules: HeaderRules) -> Option<WholeFrame> {
        let (header, start) = FrameHeader::parse_by(input, rules).ok()??;
        let end = start + usize::try_from(header.length).unwrap();
        let is_message = header.fin && !header.rsv1 && !header.opcode.is_control();
        let begins = header.opcode != Opcode::Continuation;
        (is_message && begins && end <= input.len()).then(|| WholeFrame {
            text: header.opcode == Opcode::Text,
            mask: header.masking_key.map(Mask::new),
            payload: start..end,
        })
    }

    #[test]
    fn any_two_bytes_and_any_length_are_read_as_the_header_reads_them() {
        let mut input = vec![0; 70_000];
        input[2..14].copy_from_slice(&[0, 0, 0, 0, 0, 1, 0x11, 0x11, 1, 2, 3, 4]);
        let extended: [&[u8]; 5] = [&[0, 125], &[0, 126], &[1, 0], &[0; 8], &[0, 0, 0, 0, 0, 1]];
        for role in [Role::Client, Role::Server] {
            for compression in [false, true] {
                let rules = HeaderRules { role, compression };
                for both in 0..=u16::MAX {
                    input[..2].copy_from_slice(&both.to_be_bytes());
                    for bytes in extended {
                        input[2..2 + bytes.len()].copy_from_slice(bytes);
                        for length in [0, 1, 2, 5, 6, 130, 260, 70_000] {
                            let input = &input[..length];
                            assert_eq!(
                                WholeFrame::find(input, rules),
                                by_header(input, rules),
                                "{:x?}",
                                &input[..length.min(14)]
                            );
                        }
                    }
                }
            }
        }
    }
}
