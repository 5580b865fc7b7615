//! [`Violation`]: a rule of the session protocol that a peer broke.

use std::error::Error;
use std::fmt;

/// A rule of the session protocol that the peer broke. The connection is closed with 4094 and the
/// session is over: counts of a peer that breaks rules cannot be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// A binary message without a byte that says its type.
    EmptyMessage,
    /// A type that is not defined.
    UnknownType,
    /// A control message that ends too early.
    Truncated,
    /// A control message with bytes behind its end.
    TrailingBytes,
    /// A control message longer than 16 KiB.
    TooLong,
    /// A number of 2^53 or above.
    NumberTooBig,
    /// Fields that do not stand in ascending order, or one twice.
    FieldOrder,
    /// A field that has to be there is missing.
    MissingField,
    /// A field that may not be there, beside the others.
    UnexpectedField,
    /// A value that its field, or its place in a control message, may not have.
    BadValue,
    /// A message that only the other role sends.
    WrongDirection,
    /// HELLO or WELCOME a second time, or something else before it.
    OutOfOrder,
    /// An ACK or a GAP of nothing.
    EmptyCount,
    /// More is acknowledged than was sent.
    AckBeyondSent,
    /// More messages than can be counted.
    CountOverflow,
}

impl Violation {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::EmptyMessage,
        Self::UnknownType,
        Self::Truncated,
        Self::TrailingBytes,
        Self::TooLong,
        Self::NumberTooBig,
        Self::FieldOrder,
        Self::MissingField,
        Self::UnexpectedField,
        Self::BadValue,
        Self::WrongDirection,
        Self::OutOfOrder,
        Self::EmptyCount,
        Self::AckBeyondSent,
        Self::CountOverflow,
    ];

    /// The name in the specification, in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::EmptyMessage => "empty-message",
            Self::UnknownType => "unknown-type",
            Self::Truncated => "truncated",
            Self::TrailingBytes => "trailing-bytes",
            Self::TooLong => "too-long",
            Self::NumberTooBig => "number-too-big",
            Self::FieldOrder => "field-order",
            Self::MissingField => "missing-field",
            Self::UnexpectedField => "unexpected-field",
            Self::BadValue => "bad-value",
            Self::WrongDirection => "wrong-direction",
            Self::OutOfOrder => "out-of-order",
            Self::EmptyCount => "empty-count",
            Self::AckBeyondSent => "ack-beyond-sent",
            Self::CountOverflow => "count-overflow",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the peer broke a rule of the session: {}", self.id())
    }
}

impl Error for Violation {}
