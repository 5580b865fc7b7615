//! [`CloseFrame`]: the payload of a Close frame (RFC 6455 section 5.5.1).

use std::fmt;

use revoir_codes::{CloseCode, Reason, SendCode};

use crate::error::ProtocolError;

/// What a Close frame says: a code and a reason, or nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    code: Option<CloseCode>,
    reason: Reason,
}

impl CloseFrame {
    /// A Close frame without a payload. Who receives it sees code 1005.
    pub const EMPTY: Self = Self {
        code: None,
        reason: Reason::EMPTY,
    };

    /// A Close frame with a code and a reason.
    #[must_use]
    pub const fn new(code: SendCode, reason: Reason) -> Self {
        Self {
            code: Some(code.code()),
            reason,
        }
    }

    /// The code on the wire; `None` for an empty frame.
    #[must_use]
    pub const fn wire_code(&self) -> Option<CloseCode> {
        self.code
    }

    /// The code as an application sees it: 1005 for an empty frame (RFC 6455 section 7.1.5).
    #[must_use]
    pub const fn code(&self) -> CloseCode {
        match self.code {
            Some(code) => code,
            None => CloseCode::NO_STATUS_RCVD,
        }
    }

    /// The reason; empty if there is none.
    #[must_use]
    pub const fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Reads the payload of a received Close frame.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::CloseTooShort`], [`ProtocolError::CloseCodeNotAllowed`],
    /// [`ProtocolError::ReasonNotUtf8`] or [`ProtocolError::ControlTooLong`].
    pub fn parse(payload: &[u8]) -> Result<Self, ProtocolError> {
        let Some((wire, text)) = payload.split_first_chunk() else {
            return if payload.is_empty() {
                Ok(Self::EMPTY)
            } else {
                // RFC 6455 section 5.5.1: a payload starts with a code of two bytes.
                Err(ProtocolError::CloseTooShort)
            };
        };
        let code = CloseCode::new(u16::from_be_bytes(*wire));
        // RFC 6455 section 7.4: some codes never stand in a frame, some are not codes at all.
        let code = SendCode::try_from(code)
            .map_err(|refused| ProtocolError::CloseCodeNotAllowed { code: refused.code })?;
        // RFC 6455 section 5.5.1: the reason is UTF-8.
        let text = simdutf8::basic::from_utf8(text).map_err(|_| ProtocolError::ReasonNotUtf8)?;
        let reason = Reason::new(text).map_err(|_| ProtocolError::ControlTooLong)?;
        Ok(Self::new(code, reason))
    }

    /// The payload of the frame that answers this one: the same code, without the reason
    /// (RFC 6455 section 5.5.1). An empty frame is answered with an empty one.
    ///
    /// So a server answers 1010 with 1010, although it may not begin with it (section 7.4.1): the
    /// answer echoes what the client said, and says nothing of its own.
    #[must_use]
    pub const fn answer(&self) -> Self {
        Self {
            code: self.code,
            reason: Reason::EMPTY,
        }
    }

    /// Appends the payload to `out`: at most 125 bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        if let Some(code) = self.code {
            out.extend_from_slice(&code.get().to_be_bytes());
            out.extend_from_slice(self.reason.as_bytes());
        }
    }
}

/// The code and, if there is one, the reason in quotes.
impl fmt::Display for CloseFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code().fmt(f)?;
        if self.reason.is_empty() {
            Ok(())
        } else {
            write!(f, " {:?}", self.reason)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_survive_the_wire() {
        let longest = Reason::truncated(&"é".repeat(70));
        for frame in [
            CloseFrame::EMPTY,
            CloseFrame::new(SendCode::NORMAL_CLOSURE, Reason::EMPTY),
            CloseFrame::new(SendCode::SERVICE_RESTART, longest),
        ] {
            let mut wire = Vec::new();
            frame.encode(&mut wire);
            assert_eq!(CloseFrame::parse(&wire), Ok(frame));
        }
    }

    #[test]
    fn an_empty_frame_reads_as_1005_and_prints_so() {
        assert_eq!(CloseFrame::EMPTY.wire_code(), None);
        assert_eq!(CloseFrame::EMPTY.code(), CloseCode::NO_STATUS_RCVD);
        assert_eq!(CloseFrame::EMPTY.to_string(), "1005 No Status Rcvd");
        let frame = CloseFrame::new(SendCode::GOING_AWAY, Reason::truncated("bye"));
        assert_eq!(frame.to_string(), "1001 Going Away \"bye\"");
    }

    #[test]
    fn a_payload_over_125_bytes_is_refused() {
        let mut wire = vec![0x03, 0xE8];
        wire.extend([b'x'; 124]);
        assert_eq!(CloseFrame::parse(&wire), Err(ProtocolError::ControlTooLong));
    }
}
