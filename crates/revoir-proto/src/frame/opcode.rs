//! [`Opcode`]: what a frame is.

use crate::error::ProtocolError;

/// What a frame is (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// 0x0: a further fragment of a message.
    Continuation = 0x0,
    /// 0x1: a text message, or its first fragment.
    Text = 0x1,
    /// 0x2: a binary message, or its first fragment.
    Binary = 0x2,
    /// 0x8: the Close frame.
    Close = 0x8,
    /// 0x9: a ping.
    Ping = 0x9,
    /// 0xA: a pong.
    Pong = 0xA,
}

/// The opcodes by their number.
const KNOWN: [Option<Opcode>; 16] = {
    let mut known = [None; 16];
    known[0x0] = Some(Opcode::Continuation);
    known[0x1] = Some(Opcode::Text);
    known[0x2] = Some(Opcode::Binary);
    known[0x8] = Some(Opcode::Close);
    known[0x9] = Some(Opcode::Ping);
    known[0xA] = Some(Opcode::Pong);
    known
};

impl Opcode {
    /// The opcode with this number.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::ReservedOpcode`] for 3-7 and for 11 and above.
    #[inline]
    pub const fn from_number(number: u8) -> Result<Self, ProtocolError> {
        if number < 16
            && let Some(opcode) = KNOWN[number as usize]
        {
            return Ok(opcode);
        }
        // RFC 6455 section 5.2: an unknown opcode fails the connection.
        Err(ProtocolError::ReservedOpcode { opcode: number })
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether frames with this opcode are control frames (RFC 6455 section 5.5).
    #[must_use]
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_opcodes_map_one_to_one() {
        for number in 0..=u8::MAX {
            match Opcode::from_number(number) {
                Ok(opcode) => {
                    assert_eq!(opcode.number(), number);
                    assert_eq!(opcode.is_control(), number & 0x8 != 0);
                }
                Err(error) => {
                    assert_eq!(error, ProtocolError::ReservedOpcode { opcode: number });
                    assert!(!matches!(number, 0..=2 | 8..=10));
                }
            }
        }
    }
}
