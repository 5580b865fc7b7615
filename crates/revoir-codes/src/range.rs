//! [`CodeRange`]: what the number alone says of a code.

use crate::code::CloseCode;
use crate::generated::numbers::BOUNDS;

/// The block a number falls into (RFC 6455 section 7.4.2, registration rules in section 11.7);
/// [`CodeRange::bounds`] has its first and last number.
///
/// RFC 6455 has one block for 1000-2999. The registered and the unassigned numbers in it are told
/// apart here because a receiver treats them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodeRange {
    /// Never used by WebSocket.
    Unused,
    /// The protocol's own codes, all registered.
    Protocol,
    /// Kept for the protocol, its revisions and extensions; none is assigned.
    ProtocolUnassigned,
    /// For libraries, frameworks and applications, registered on request.
    Registered,
    /// For private use; cannot be registered.
    Private,
    /// Outside the registry.
    OutOfRange,
}

impl CodeRange {
    /// All ranges, in order.
    pub const ALL: &'static [Self] = &[
        Self::Unused,
        Self::Protocol,
        Self::ProtocolUnassigned,
        Self::Registered,
        Self::Private,
        Self::OutOfRange,
    ];

    /// The range of `code`.
    #[must_use]
    pub const fn of(code: CloseCode) -> Self {
        // The bounds leave no gap: the last range that begins at the number, or before it, has it.
        let mut index = Self::ALL.len() - 1;
        while code.get() < Self::ALL[index].bounds().0 {
            index -= 1;
        }
        Self::ALL[index]
    }

    /// The first and the last number.
    #[must_use]
    pub const fn bounds(self) -> (u16, u16) {
        BOUNDS[self as usize]
    }

    /// A short English name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unused => "not used by WebSocket",
            Self::Protocol => "protocol",
            Self::ProtocolUnassigned => "unassigned",
            Self::Registered => "registered on request",
            Self::Private => "private use",
            Self::OutOfRange => "out of range",
        }
    }

    /// A stable identifier in kebab case, for machine-readable output.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Protocol => "protocol",
            Self::ProtocolUnassigned => "protocol-unassigned",
            Self::Registered => "registered",
            Self::Private => "private",
            Self::OutOfRange => "out-of-range",
        }
    }

    /// Whether a number of this range is a close code at all (1000-4999, RFC 6455 section 11.7).
    #[must_use]
    pub const fn is_close_code(self) -> bool {
        !matches!(self, Self::Unused | Self::OutOfRange)
    }
}

impl CloseCode {
    /// The range the number belongs to. Every number belongs to exactly one.
    #[must_use]
    pub const fn range(self) -> CodeRange {
        CodeRange::of(self)
    }
}
