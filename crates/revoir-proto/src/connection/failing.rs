//! "Fail the WebSocket Connection" (RFC 6455 section 7.1.7).

use revoir_codes::Reason;

use crate::connection::Connection;
use crate::ending::{Detail, Initiator};
use crate::error::ProtocolError;
use crate::frame::CloseFrame;
use crate::nanos::Nanos;
use crate::random::Random;
use crate::state::{Action, Stimulus};

impl<R: Random> Connection<R> {
    /// The peer broke a rule: sends the one Close frame that says so, unless one was sent, and
    /// throws away everything that comes after.
    #[cold]
    pub(super) fn fail(&mut self, now: Nanos, error: ProtocolError) {
        if self.advance_state(Stimulus::Fail) == Action::SendCloseAndDiscard {
            let frame = close_frame(error);
            self.begin_closing(now, Initiator::Local, error.cause(), frame);
        }
        if let Some(closing) = self.closing_mut() {
            closing.failed = true;
            // If we were closing, what began it stays the cause; the rule tells why no answer
            // counted.
            if closing.detail == Detail::None {
                closing.detail = Detail::Rule(error);
            }
        }
        self.settle(now);
        self.discard_input();
    }
}

/// The code of the violation, and for the peer's developer the rule and where it stands.
fn close_frame(error: ProtocolError) -> CloseFrame {
    let reason = format!("{error} ({})", error.section());
    CloseFrame::new(error.close_code(), Reason::truncated(&reason))
}

#[cfg(test)]
mod tests {
    use revoir_codes::CloseCode;

    use super::*;

    #[test]
    fn every_reason_fits_and_names_its_section() {
        for error in [
            ProtocolError::ReservedBits { bits: 7 },
            ProtocolError::ReservedOpcode { opcode: 15 },
            ProtocolError::FragmentedControl,
            ProtocolError::ControlTooLong,
            ProtocolError::MaskMissing,
            ProtocolError::MaskUnexpected,
            ProtocolError::LengthNotMinimal,
            ProtocolError::LengthTooLarge,
            ProtocolError::ContinuationUnexpected,
            ProtocolError::ContinuationMissing,
            ProtocolError::CloseTooShort,
            ProtocolError::CloseCodeNotAllowed {
                code: CloseCode::new(65_535),
            },
            ProtocolError::TextNotUtf8,
            ProtocolError::ReasonNotUtf8,
            ProtocolError::MessageTooBig {
                got: u64::MAX,
                allowed: u64::MAX,
            },
            ProtocolError::CompressedTooLong { allowed: u64::MAX },
            ProtocolError::FinalBlocksTooMany { allowed: u32::MAX },
            ProtocolError::CompressedDataCorrupt,
            ProtocolError::CompressedDataTruncated,
        ] {
            let frame = close_frame(error);
            let expected = format!("{error} ({})", error.section());
            assert_eq!(frame.reason().as_str(), expected);
            assert_eq!(frame.code(), error.close_code().code());
        }
    }
}
