//! [`SendCode`]: a code that may stand in a Close frame.

use core::fmt;

use crate::code::CloseCode;

/// A close code that an endpoint may put into a Close frame (RFC 6455 section 7.4),
/// which are those of [`SendCode::NUMBERS`].
///
/// There is no way to build one from another number.
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
                "{code} may not stand in a Close frame; use {}",
                SendCode::NUMBERS
            )
        }
    }
}

impl core::error::Error for NotSendable {}
