//! What implementations tell their application when a connection ends.

use core::fmt;

use crate::catalog::source::Evidence;
use crate::code::CloseCode;
use crate::generated::catalog::IMPLEMENTATIONS;

/// One implementation of WebSocket, as read or measured at one version.
#[derive(Debug)]
#[non_exhaustive]
pub struct Implementation {
    /// The implementation.
    pub name: &'static str,
    /// The version or the date of the source; may be empty.
    pub version: &'static str,
    /// How it is known.
    pub evidence: Evidence,
    /// Inclusive ranges of the codes that it accepts in a Close frame.
    pub accepts: &'static [(u16, u16)],
    /// What the application is told when the frame's code is another.
    pub refused: Option<Outcome>,
    /// … when the Close frame has no code. The truth is 1005.
    pub empty: Option<Outcome>,
    /// … when TCP ends without a Close frame. The truth is 1006.
    pub fin: Option<Outcome>,
    /// … when TCP is reset without a Close frame. The truth is 1006.
    pub rst: Option<Outcome>,
    /// … when the handshake is answered with an HTTP error.
    pub handshake: Option<Outcome>,
    /// The code it sends when text is not UTF-8. The RFC asks for 1007.
    pub sends_for_bad_text: Option<CloseCode>,
}

/// What the application is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This code.
    Code(CloseCode),
    /// An error without a code.
    Error,
    /// No code at all.
    Nothing,
}

impl Implementation {
    /// Every implementation on record.
    #[must_use]
    pub fn all() -> &'static [Self] {
        IMPLEMENTATIONS
    }

    /// Whether it accepts `code` in a Close frame.
    #[must_use]
    pub fn accepts(&self, code: CloseCode) -> bool {
        self.accepts
            .iter()
            .any(|&(first, last)| (first..=last).contains(&code.get()))
    }

    /// Whether it says `shown` when the truth is `real`.
    #[must_use]
    pub fn mistakes(&self, real: CloseCode, shown: CloseCode) -> bool {
        let told = Some(Outcome::Code(shown));
        let refused = real.may_be_received() && !self.accepts(real) && self.refused == told;
        let other = match real {
            CloseCode::NO_STATUS_RCVD => self.empty == told,
            CloseCode::ABNORMAL_CLOSURE => [self.fin, self.rst, self.handshake].contains(&told),
            CloseCode::INVALID_FRAME_PAYLOAD_DATA => self.sends_for_bad_text == Some(shown),
            _ => false,
        };
        real != shown && (refused || other)
    }
}

/// Name and version: `tungstenite 0.30`.
impl fmt::Display for Implementation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if self.version.starts_with(|c: char| c.is_ascii_digit()) {
            write!(f, " {}", self.version)?;
        }
        Ok(())
    }
}
