//! "Fail the WebSocket Connection" (RFC 6455 section 7.1.7): what the Close frame says.

use revoir_codes::Reason;

use crate::error::ProtocolError;
use crate::frame::CloseFrame;

/// The code of the violation, and for the peer's developer the rule and where it stands.
pub(super) fn close_frame(error: ProtocolError) -> CloseFrame {
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
