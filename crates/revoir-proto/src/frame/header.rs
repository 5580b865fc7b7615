//! [`FrameHeader`]: everything of a frame but its payload.

use crate::error::ProtocolError;
use crate::frame::Opcode;
use crate::role::Role;

/// The longest header: two bytes, a 64-bit length and a masking key.
pub const MAX_HEADER_BYTES: usize = 14;

/// The longest payload of a control frame (RFC 6455 section 5.5).
pub(crate) const CONTROL_MAX_BYTES: usize = 125;

/// The longest payload whose length takes no bytes of its own.
const SHORT_MAX: u8 = 125;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV: u8 = 0x70;
const MASK: u8 = 0x80;
/// The first byte of a text message of one frame, and of a binary one.
const TEXT: u8 = FIN | Opcode::Text.number();
const BINARY: u8 = FIN | Opcode::Binary.number();
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// The header of a frame (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whether the frame is the last one of its message.
    pub fin: bool,
    /// The first reserved bit: with permessage-deflate, set on the first frame of a compressed
    /// message (RFC 7692 section 6).
    pub rsv1: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// The masking key of a masked frame.
    pub masking_key: Option<[u8; 4]>,
    /// The length of the payload, in bytes.
    pub length: u64,
}

/// The rules for a received header that depend on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeaderRules {
    /// The role of the endpoint that reads.
    pub(crate) role: Role,
    /// Whether permessage-deflate was agreed, which gives RSV1 a meaning.
    pub(crate) compression: bool,
}

impl FrameHeader {
    /// Reads a header from the start of `bytes`, as the endpoint with `role` receives it:
    /// the header and the number of bytes it takes, or `None` while bytes are missing.
    ///
    /// `compression` says whether permessage-deflate was agreed on. A violation is found at its
    /// first byte, so that the result does not depend on how the bytes arrive.
    ///
    /// # Errors
    ///
    /// The rule of RFC 6455 section 5 that the header breaks.
    pub fn parse(
        bytes: &[u8],
        role: Role,
        compression: bool,
    ) -> Result<Option<(Self, usize)>, ProtocolError> {
        Self::parse_by(bytes, HeaderRules { role, compression })
    }

    #[inline(never)]
    pub(crate) fn parse_by(
        bytes: &[u8],
        rules: HeaderRules,
    ) -> Result<Option<(Self, usize)>, ProtocolError> {
        let Some(&first) = bytes.first() else {
            return Ok(None);
        };
        let opcode = check_first(first, rules)?;
        let Some(&second) = bytes.get(1) else {
            return Ok(None);
        };
        check_second(second, opcode, rules)?;
        let Some((length, taken)) = parse_length(bytes, second & !MASK)? else {
            return Ok(None);
        };
        let mut header = Self {
            fin: first & FIN != 0,
            rsv1: first & RSV1 != 0,
            opcode,
            masking_key: None,
            length,
        };
        if second & MASK == 0 {
            return Ok(Some((header, taken)));
        }
        let Some(key) = bytes.get(taken..).and_then(<[u8]>::first_chunk) else {
            return Ok(None);
        };
        header.masking_key = Some(*key);
        Ok(Some((header, taken + 4)))
    }

    /// [`parse_by`](Self::parse_by) for a message of one frame and 64 KiB at most; whatever is
    /// unusual, cut or wrong is `None`.
    #[inline]
    pub(crate) fn parse_usual(bytes: &[u8], role: Role) -> Option<(Self, usize)> {
        let &[first, second] = bytes.first_chunk()?;
        let opcode = match first {
            TEXT => Opcode::Text,
            BINARY => Opcode::Binary,
            _ => return None,
        };
        let mask = u8::from(role == Role::Server) * MASK;
        let (length, at) = match second ^ mask {
            short @ 0..=SHORT_MAX => (u16::from(short), 2),
            LENGTH_16 => (u16::from_be_bytes(*bytes[2..].first_chunk()?), 4),
            _ => return None,
        };
        if at == 4 && length <= u16::from(SHORT_MAX) {
            return None;
        }
        let (masking_key, taken) = match role {
            Role::Client => (None, at),
            Role::Server => (Some(*bytes[at..].first_chunk()?), at + 4),
        };
        let header = Self {
            fin: true,
            rsv1: false,
            opcode,
            masking_key,
            length: u64::from(length),
        };
        Some((header, taken))
    }

    /// The header as it stands on the wire, and its length in bytes.
    #[must_use]
    pub fn to_wire(&self) -> ([u8; MAX_HEADER_BYTES], usize) {
        let (first, key) = (self.first(), self.masking_key);
        if let Ok(length) = u16::try_from(self.length) {
            let (word, end) = usual_word(first, key, length);
            let mut wire = [0; MAX_HEADER_BYTES];
            wire[..8].copy_from_slice(&word.to_le_bytes());
            return (wire, end);
        }
        long_header(first, key, self.length)
    }

    /// The first byte.
    #[inline]
    pub(crate) fn first(self) -> u8 {
        self.opcode.number() | (u8::from(self.fin) * FIN) | (u8::from(self.rsv1) * RSV1)
    }
}

/// A header for 64 KiB at most as one number, the first byte lowest, and its length in bytes: it
/// stays in registers.
#[inline]
pub(crate) fn usual_word(first: u8, key: Option<[u8; 4]>, length: u16) -> (u64, usize) {
    let first = u64::from(first);
    let (mask, key, key_bytes) = match key {
        None => (0, 0, 0),
        Some(key) => (u64::from(MASK), u64::from(u32::from_le_bytes(key)), 4),
    };
    if length <= u16::from(SHORT_MAX) {
        let start = first | (mask | u64::from(length)) << 8;
        return (start | key << 16, 2 + key_bytes);
    }
    let start = first | (mask | u64::from(LENGTH_16)) << 8;
    // RFC 6455 section 5.2: lengths go in network byte order, highest byte first.
    let length = u64::from(length.swap_bytes());
    (start | length << 16 | key << 32, 4 + key_bytes)
}

/// A header for more than 64 KiB, and its length in bytes.
pub(crate) fn long_header(
    first: u8,
    key: Option<[u8; 4]>,
    length: u64,
) -> ([u8; MAX_HEADER_BYTES], usize) {
    let mut wire = [0; MAX_HEADER_BYTES];
    let mask = u8::from(key.is_some()) * MASK;
    wire[..2].copy_from_slice(&[first, mask | LENGTH_64]);
    wire[2..10].copy_from_slice(&length.to_be_bytes());
    let Some(key) = key else {
        return (wire, 10);
    };
    wire[10..].copy_from_slice(&key);
    (wire, MAX_HEADER_BYTES)
}

#[inline]
fn check_first(first: u8, rules: HeaderRules) -> Result<Opcode, ProtocolError> {
    let opcode = Opcode::from_number(first & 0x0F)?;
    let reserved = first & RSV;
    if reserved != 0 {
        // RFC 7692 section 6: RSV1 marks the first frame of a compressed message.
        let marks = rules.compression && matches!(opcode, Opcode::Text | Opcode::Binary);
        if !(marks && reserved == RSV1) {
            // RFC 6455 section 5.2: reserved bits are zero unless an extension defines them.
            let bits = reserved >> 4;
            return Err(ProtocolError::ReservedBits { bits });
        }
    }
    // RFC 6455 section 5.5: control frames are never fragmented.
    if opcode.is_control() && first & FIN == 0 {
        return Err(ProtocolError::FragmentedControl);
    }
    Ok(opcode)
}

#[inline]
fn check_second(second: u8, opcode: Opcode, rules: HeaderRules) -> Result<(), ProtocolError> {
    // RFC 6455 section 5.1: a client masks every frame, a server none.
    match (rules.role, second & MASK != 0) {
        (Role::Server, false) => return Err(ProtocolError::MaskMissing),
        (Role::Client, true) => return Err(ProtocolError::MaskUnexpected),
        (Role::Server, true) | (Role::Client, false) => {}
    }
    // RFC 6455 section 5.5: a control frame carries 125 bytes at most.
    if opcode.is_control() && usize::from(second & !MASK) > CONTROL_MAX_BYTES {
        return Err(ProtocolError::ControlTooLong);
    }
    Ok(())
}

/// The payload length and the number of header bytes up to its end.
#[inline]
fn parse_length(bytes: &[u8], short: u8) -> Result<Option<(u64, usize)>, ProtocolError> {
    let after = &bytes[2..];
    match short {
        LENGTH_16 => {
            let Some(&wire) = after.first_chunk() else {
                return Ok(None);
            };
            let length = u16::from_be_bytes(wire);
            // RFC 6455 section 5.2: the shortest form is mandatory.
            if length < 126 {
                return Err(ProtocolError::LengthNotMinimal);
            }
            Ok(Some((u64::from(length), 4)))
        }
        LENGTH_64 => {
            // RFC 6455 section 5.2: the highest bit of a 64-bit length is zero.
            if after.first().is_some_and(|&byte| byte & 0x80 != 0) {
                return Err(ProtocolError::LengthTooLarge);
            }
            let Some(&wire) = after.first_chunk() else {
                return Ok(None);
            };
            let length = u64::from_be_bytes(wire);
            if length <= 0xFFFF {
                return Err(ProtocolError::LengthNotMinimal);
            }
            Ok(Some((length, 10)))
        }
        _ => Ok(Some((u64::from(short), 2))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(header: FrameHeader, role: Role) {
        let (wire, end) = header.to_wire();
        for cut in 0..end {
            assert_eq!(
                FrameHeader::parse(&wire[..cut], role, true),
                Ok(None),
                "{cut}"
            );
        }
        let parsed = FrameHeader::parse(&wire[..end], role, true);
        assert_eq!(parsed, Ok(Some((header, end))));
    }

    #[test]
    fn headers_survive_the_wire_and_every_prefix_asks_for_more() {
        for length in [0, 1, 125, 126, 0xFFFF, 0x1_0000, u64::MAX >> 1] {
            for rsv1 in [false, true] {
                for (role, masking_key) in
                    [(Role::Client, None), (Role::Server, Some([1, 2, 3, 4]))]
                {
                    let opcode = Opcode::Text;
                    round_trip(
                        FrameHeader {
                            fin: !rsv1,
                            rsv1,
                            opcode,
                            masking_key,
                            length,
                        },
                        role,
                    );
                }
            }
        }
    }

    #[test]
    fn lengths_in_a_longer_form_than_needed_are_refused() {
        let parse = |bytes: &[u8]| FrameHeader::parse(bytes, Role::Client, false);
        let refused = Err(ProtocolError::LengthNotMinimal);
        assert_eq!(parse(&[0x82, 126, 0, 125]), refused);
        assert_eq!(parse(&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]), refused);
        assert_eq!(
            parse(&[0x82, 127, 0x80]),
            Err(ProtocolError::LengthTooLarge)
        );
    }

    #[test]
    fn first_byte_alone_is_enough_to_refuse() {
        let parse = |byte| FrameHeader::parse(&[byte], Role::Server, true);
        assert_eq!(
            parse(0xA1),
            Err(ProtocolError::ReservedBits { bits: 0b010 })
        );
        assert_eq!(
            parse(0xC0),
            Err(ProtocolError::ReservedBits { bits: 0b100 })
        );
        assert_eq!(
            parse(0xC9),
            Err(ProtocolError::ReservedBits { bits: 0b100 })
        );
        assert_eq!(
            parse(0x83),
            Err(ProtocolError::ReservedOpcode { opcode: 3 })
        );
        assert_eq!(parse(0x09), Err(ProtocolError::FragmentedControl));
        assert_eq!(parse(0xC1), Ok(None));
    }
}
