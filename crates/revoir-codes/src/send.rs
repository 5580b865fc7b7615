//! [`SendCode`]: a code that may stand in a Close frame.

use core::fmt;

use crate::code::CloseCode;

/// A close code that an endpoint may put into a Close frame (RFC 6455 section 7.4):
/// 1000-1003, 1007-1014 and 3000-4999.
///
/// There is no way to build one from 1004, 1005, 1006, 1015, 0-999, 1016-2999 or 5000 and above.
/// A literal is a constant; a number that comes from elsewhere goes through `TryFrom`:
///
/// ```
/// use revoir_codes::{CloseCode, SendCode};
///
/// let code = SendCode::SERVICE_RESTART;
/// let refused = SendCode::try_from(1006).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "1006 Abnormal Closure is a local value and is never sent in a Close frame"
/// );
/// // Any other literal, checked while compiling:
/// const LOGGED_OUT: SendCode = SendCode::literal::<4401>();
/// # assert_eq!(CloseCode::from(code), CloseCode::SERVICE_RESTART);
/// # assert_eq!(LOGGED_OUT.get(), 4401);
/// ```
///
/// 1010 is for clients only; a `SendCode` does not know its side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendCode(CloseCode);

impl SendCode {
    /// 1000 Normal Closure.
    pub const NORMAL_CLOSURE: Self = Self(CloseCode::NORMAL_CLOSURE);
    /// 1001 Going Away.
    pub const GOING_AWAY: Self = Self(CloseCode::GOING_AWAY);
    /// 1002 Protocol error.
    pub const PROTOCOL_ERROR: Self = Self(CloseCode::PROTOCOL_ERROR);
    /// 1003 Unsupported Data.
    pub const UNSUPPORTED_DATA: Self = Self(CloseCode::UNSUPPORTED_DATA);
    /// 1007 Invalid frame payload data.
    pub const INVALID_FRAME_PAYLOAD_DATA: Self = Self(CloseCode::INVALID_FRAME_PAYLOAD_DATA);
    /// 1008 Policy Violation.
    pub const POLICY_VIOLATION: Self = Self(CloseCode::POLICY_VIOLATION);
    /// 1009 Message Too Big.
    pub const MESSAGE_TOO_BIG: Self = Self(CloseCode::MESSAGE_TOO_BIG);
    /// 1010 Mandatory Ext.: sent by clients only.
    pub const MANDATORY_EXT: Self = Self(CloseCode::MANDATORY_EXT);
    /// 1011 Internal Error.
    pub const INTERNAL_ERROR: Self = Self(CloseCode::INTERNAL_ERROR);
    /// 1012 Service Restart.
    pub const SERVICE_RESTART: Self = Self(CloseCode::SERVICE_RESTART);
    /// 1013 Try Again Later.
    pub const TRY_AGAIN_LATER: Self = Self(CloseCode::TRY_AGAIN_LATER);
    /// 1014 Bad Gateway.
    pub const BAD_GATEWAY: Self = Self(CloseCode::BAD_GATEWAY);
    /// 3000 Unauthorized.
    pub const UNAUTHORIZED: Self = Self(CloseCode::UNAUTHORIZED);
    /// 3003 Forbidden.
    pub const FORBIDDEN: Self = Self(CloseCode::FORBIDDEN);
    /// 3008 Timeout.
    pub const TIMEOUT: Self = Self(CloseCode::TIMEOUT);

    /// A code given as a literal, checked while compiling.
    ///
    /// ```
    /// # use revoir_codes::SendCode;
    /// const LOGGED_OUT: SendCode = SendCode::literal::<4401>();
    /// ```
    ///
    /// ```compile_fail
    /// # use revoir_codes::SendCode;
    /// const NEVER: SendCode = SendCode::literal::<1006>();
    /// ```
    #[must_use]
    pub const fn literal<const NUMBER: u16>() -> Self {
        const {
            assert!(
                CloseCode::new(NUMBER).may_be_received(),
                "this number may not stand in a Close frame"
            );
        }
        Self(CloseCode::new(NUMBER))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// The same number as a [`CloseCode`].
    #[must_use]
    pub const fn code(self) -> CloseCode {
        self.0
    }
}

impl TryFrom<CloseCode> for SendCode {
    type Error = NotSendable;

    fn try_from(code: CloseCode) -> Result<Self, NotSendable> {
        if code.may_be_received() {
            Ok(Self(code))
        } else {
            Err(NotSendable { code })
        }
    }
}

impl TryFrom<u16> for SendCode {
    type Error = NotSendable;

    fn try_from(number: u16) -> Result<Self, NotSendable> {
        Self::try_from(CloseCode::new(number))
    }
}

impl From<SendCode> for CloseCode {
    fn from(code: SendCode) -> Self {
        code.0
    }
}

impl From<SendCode> for u16 {
    fn from(code: SendCode) -> Self {
        code.get()
    }
}

impl fmt::Display for SendCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SendCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SendCode({})", self.get())
    }
}

/// A number that may not stand in a Close frame: the caller's mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotSendable {
    /// The code that was asked for.
    pub code: CloseCode,
}

impl fmt::Display for NotSendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code;
        if code.is_local() {
            write!(
                f,
                "{code} is a local value and is never sent in a Close frame"
            )
        } else {
            write!(
                f,
                "{code} may not stand in a Close frame; use 1000-1003, 1007-1014 or 3000-4999"
            )
        }
    }
}

impl core::error::Error for NotSendable {}
