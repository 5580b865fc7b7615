//! [`CloseCode`]: any number that can stand for the end of a connection.

use core::fmt;

use crate::generated::numbers::stands_in_a_frame;

/// A WebSocket close code as seen: received, derived, or typed in by somebody.
///
/// Every `u16` is a `CloseCode`, legal or not, so that a wrong number is kept and can be reported.
/// To put a code into a Close frame, make a [`SendCode`](crate::SendCode) of it.
///
/// The constants use the words of the IANA "WebSocket Close Code Number Registry"
/// (RFC 6455 section 7.4.1 and section 11.7).
///
/// ```
/// use revoir_codes::CloseCode;
///
/// assert_eq!(CloseCode::SERVICE_RESTART.to_string(), "1012 Service Restart");
/// assert_eq!(CloseCode::from(4001).name(), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The code with this number. Any number is accepted.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether an endpoint may receive this number in a Close frame (RFC 6455 section 7.4):
    /// one of [`SendCode::NUMBERS`](crate::SendCode::NUMBERS).
    ///
    /// A frame with any other number is a protocol error, answered with 1002. 1010 is accepted
    /// from either side: the RFC gives a server no use for it, and does not forbid it.
    #[must_use]
    pub const fn may_be_received(self) -> bool {
        stands_in_a_frame(self.0)
    }

    /// Whether the number is only ever a name that an endpoint gives to an ending by itself:
    /// 1005, 1006 and 1015.
    #[must_use]
    pub const fn is_local(self) -> bool {
        matches!(self.0, 1005 | 1006 | 1015)
    }
}

impl From<u16> for CloseCode {
    fn from(number: u16) -> Self {
        Self(number)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}
