//! [`CodeRange`]: what the number alone says of a code.

use crate::code::CloseCode;

/// The block a number falls into (RFC 6455 section 7.4.2, registration rules in section 11.7).
///
/// RFC 6455 has one block for 1000-2999. The registered and the unassigned numbers in it are told
/// apart here because a receiver treats them differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodeRange {
    /// 0-999: never used by WebSocket.
    Unused,
    /// 1000-1015: the protocol's own codes, all registered.
    Protocol,
    /// 1016-2999: kept for the protocol, its revisions and extensions; none is assigned.
    ProtocolUnassigned,
    /// 3000-3999: for libraries, frameworks and applications, registered on request.
    Registered,
    /// 4000-4999: for private use; cannot be registered.
    Private,
    /// 5000-65535: outside the registry.
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
        match code.get() {
            0..=999 => Self::Unused,
            1000..=1015 => Self::Protocol,
            1016..=2999 => Self::ProtocolUnassigned,
            3000..=3999 => Self::Registered,
            4000..=4999 => Self::Private,
            5000..=u16::MAX => Self::OutOfRange,
        }
    }

    /// The first and the last number.
    #[must_use]
    pub const fn bounds(self) -> (u16, u16) {
        match self {
            Self::Unused => (0, 999),
            Self::Protocol => (1000, 1015),
            Self::ProtocolUnassigned => (1016, 2999),
            Self::Registered => (3000, 3999),
            Self::Private => (4000, 4999),
            Self::OutOfRange => (5000, u16::MAX),
        }
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
