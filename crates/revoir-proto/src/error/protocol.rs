//! [`ProtocolError`]: a rule the peer broke.

use std::error::Error;
use std::fmt;

use revoir_codes::{CloseCode, SendCode};

/// A rule that the peer broke. One variant per rule.
///
/// Each maps to exactly one close code ([`close_code`](Self::close_code)), with which the
/// connection is failed (RFC 6455 section 7.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit is set that no negotiated extension gave a meaning.
    ReservedBits {
        /// RSV1, RSV2 and RSV3 as the lowest three bits, RSV1 the highest of them.
        bits: u8,
    },
    /// An opcode that RFC 6455 reserves: 3-7 or 11-15.
    ReservedOpcode {
        /// The opcode.
        opcode: u8,
    },
    /// A control frame without the FIN bit.
    FragmentedControl,
    /// A control frame whose payload is longer than 125 bytes.
    ControlTooLong,
    /// A client's frame that is not masked.
    MaskMissing,
    /// A server's frame that is masked.
    MaskUnexpected,
    /// A payload length that is not in its shortest form.
    LengthNotMinimal,
    /// A 64-bit payload length whose highest bit is set.
    LengthTooLarge,
    /// A continuation frame while no message is unfinished.
    ContinuationUnexpected,
    /// A new message inside an unfinished one.
    ContinuationMissing,
    /// A Close frame whose payload is a single byte: too short for a code.
    CloseTooShort,
    /// A Close frame with a code that may not stand in one.
    CloseCodeNotAllowed {
        /// The code as received.
        code: CloseCode,
    },
    /// Text that is not UTF-8.
    TextNotUtf8,
    /// A Close reason that is not UTF-8.
    ReasonNotUtf8,
    /// A message longer than the limit.
    MessageTooBig {
        /// The length the message has at least, in bytes.
        got: u64,
        /// The limit, in bytes.
        allowed: u64,
    },
    /// A message whose compressed form is longer than any form of a message within the limit.
    CompressedTooLong {
        /// The limit on the compressed form, in bytes.
        allowed: u64,
    },
    /// A compressed message with too many final blocks, each of which costs a fresh state.
    FinalBlocksTooMany {
        /// The limit, in blocks.
        allowed: u32,
    },
    /// Compressed data that cannot be inflated. With context takeover the fault may be that the
    /// message before it was cut short; see
    /// [`CompressedDataTruncated`](Self::CompressedDataTruncated).
    CompressedDataCorrupt,
    /// A compressed message that ends inside a block. Without context takeover that is always
    /// found; with it, such a message may pass as a shorter one, and the next message then fails.
    CompressedDataTruncated,
}

impl ProtocolError {
    /// The code that the Close frame for this violation carries.
    #[must_use]
    pub const fn close_code(self) -> SendCode {
        match self {
            Self::ReservedBits { .. }
            | Self::ReservedOpcode { .. }
            | Self::FragmentedControl
            | Self::ControlTooLong
            | Self::MaskMissing
            | Self::MaskUnexpected
            | Self::LengthNotMinimal
            | Self::LengthTooLarge
            | Self::ContinuationUnexpected
            | Self::ContinuationMissing
            | Self::CloseTooShort
            | Self::CloseCodeNotAllowed { .. }
            | Self::CompressedDataCorrupt
            | Self::CompressedDataTruncated => SendCode::PROTOCOL_ERROR,
            Self::TextNotUtf8 | Self::ReasonNotUtf8 => SendCode::INVALID_FRAME_PAYLOAD_DATA,
            Self::MessageTooBig { .. }
            | Self::CompressedTooLong { .. }
            | Self::FinalBlocksTooMany { .. } => SendCode::MESSAGE_TOO_BIG,
        }
    }

    /// Where the rule stands.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::MaskMissing | Self::MaskUnexpected => "RFC 6455 section 5.1",
            Self::ReservedBits { .. }
            | Self::ReservedOpcode { .. }
            | Self::LengthNotMinimal
            | Self::LengthTooLarge => "RFC 6455 section 5.2",
            Self::ContinuationUnexpected | Self::ContinuationMissing => "RFC 6455 section 5.4",
            Self::FragmentedControl | Self::ControlTooLong => "RFC 6455 section 5.5",
            Self::CloseTooShort | Self::ReasonNotUtf8 => "RFC 6455 section 5.5.1",
            Self::CloseCodeNotAllowed { .. } => "RFC 6455 section 7.4",
            Self::TextNotUtf8 => "RFC 6455 section 8.1",
            Self::MessageTooBig { .. } | Self::CompressedTooLong { .. } => "RFC 6455 section 10.4",
            Self::FinalBlocksTooMany { .. } => "RFC 7692 section 7.2.3.4",
            Self::CompressedDataCorrupt | Self::CompressedDataTruncated => "RFC 7692 section 7.2.2",
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedBits { bits } => write!(f, "reserved bits {bits:03b} are set"),
            Self::ReservedOpcode { opcode } => write!(f, "opcode {opcode:#x} is reserved"),
            Self::FragmentedControl => f.write_str("a control frame is fragmented"),
            Self::ControlTooLong => f.write_str("a control frame is longer than 125 bytes"),
            Self::MaskMissing => f.write_str("a frame from a client is not masked"),
            Self::MaskUnexpected => f.write_str("a frame from a server is masked"),
            Self::LengthNotMinimal => f.write_str("a payload length is not in its shortest form"),
            Self::LengthTooLarge => f.write_str("a payload length has its highest bit set"),
            Self::ContinuationUnexpected => f.write_str("a continuation frame continues nothing"),
            Self::ContinuationMissing => f.write_str("a message starts inside an unfinished one"),
            Self::CloseTooShort => f.write_str("a Close frame has a payload of one byte"),
            Self::CloseCodeNotAllowed { code } => {
                write!(f, "code {} may not stand in a Close frame", code.get())
            }
            Self::TextNotUtf8 => f.write_str("text is not UTF-8"),
            Self::ReasonNotUtf8 => f.write_str("a Close reason is not UTF-8"),
            Self::MessageTooBig { got, allowed } => {
                write!(
                    f,
                    "a message of {got} bytes or more is over the limit of {allowed}"
                )
            }
            Self::CompressedTooLong { allowed } => {
                write!(
                    f,
                    "a compressed message is over the limit of {allowed} bytes"
                )
            }
            Self::FinalBlocksTooMany { allowed } => {
                write!(
                    f,
                    "a compressed message has more than {allowed} final blocks"
                )
            }
            Self::CompressedDataCorrupt => f.write_str("compressed data cannot be inflated"),
            Self::CompressedDataTruncated => f.write_str("compressed data ends inside a block"),
        }
    }
}

impl Error for ProtocolError {}
