//! [`CloseCode`]: any number that can stand for the end of a connection.

use core::fmt;

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
    /// 1000: the purpose of the connection is fulfilled. RFC 6455 section 7.4.1.
    pub const NORMAL_CLOSURE: Self = Self(1000);
    /// 1001: a server goes down, or a browser leaves the page. RFC 6455 section 7.4.1.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol. RFC 6455 section 7.4.1.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a type of data that the endpoint does not accept. RFC 6455 section 7.4.1.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1004: reserved, without a meaning; never in a Close frame. RFC 6455 section 7.4.1.
    pub const RESERVED: Self = Self(1004);
    /// 1005: local value for a Close frame without a code. RFC 6455 sections 7.1.5 and 7.4.1.
    pub const NO_STATUS_RCVD: Self = Self(1005);
    /// 1006: local value for an end without a Close frame. RFC 6455 sections 7.1.5 and 7.4.1.
    pub const ABNORMAL_CLOSURE: Self = Self(1006);
    /// 1007: a message that does not match its type, such as text that is not UTF-8.
    /// RFC 6455 sections 7.4.1 and 8.1.
    pub const INVALID_FRAME_PAYLOAD_DATA: Self = Self(1007);
    /// 1008: a message or a peer that breaks the endpoint's policy. RFC 6455 section 7.4.1.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message larger than the endpoint will read. RFC 6455 section 7.4.1.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the server did not grant an extension that the client needs; client to server only.
    /// RFC 6455 section 7.4.1.
    pub const MANDATORY_EXT: Self = Self(1010);
    /// 1011: the endpoint met an unexpected condition. RFC 6455 section 7.4.1, erratum 3227.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts. Registered after RFC 6455.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the service is overloaded. Registered after RFC 6455.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got a bad answer from the server behind it. Registered after RFC 6455.
    pub const BAD_GATEWAY: Self = Self(1014);
    /// 1015: local value for a failed TLS handshake. RFC 6455 section 7.4.1.
    pub const TLS_HANDSHAKE: Self = Self(1015);
    /// 3000: authentication is needed or was refused. Registered first come, first served.
    pub const UNAUTHORIZED: Self = Self(3000);
    /// 3003: the identity is known and lacks the permission. Registered first come, first served.
    pub const FORBIDDEN: Self = Self(3003);
    /// 3008: the peer stayed silent for too long. Registered first come, first served.
    pub const TIMEOUT: Self = Self(3008);

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
    /// 1000-1003, 1007-1014 and 3000-4999.
    ///
    /// A frame with any other number is a protocol error, answered with 1002. 1010 is accepted
    /// from either side: the RFC gives a server no use for it, and does not forbid it.
    #[must_use]
    pub const fn may_be_received(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
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
