//! [`Contradiction`]: what cannot be true together.

/// Two things that were told and cannot be true together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contradiction {
    /// It never opened, and yet it was idle or lived for a while.
    NeverOpenedWithTimes,
    /// It opened, and yet the handshake was answered with another status than 101.
    OpenedWithStatus,
    /// It opened, and yet what was pasted is said of connections that never did; or the other way.
    OpenedAgainstText,
    /// Both Close frames were exchanged, and yet there was no code or no opening.
    CleanWithoutClose,
}

impl Contradiction {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::NeverOpenedWithTimes,
        Self::OpenedWithStatus,
        Self::OpenedAgainstText,
        Self::CleanWithoutClose,
    ];

    /// A stable identifier.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::NeverOpenedWithTimes => "never-opened-with-times",
            Self::OpenedWithStatus => "opened-with-status",
            Self::OpenedAgainstText => "opened-against-text",
            Self::CleanWithoutClose => "clean-without-close",
        }
    }
}
