//! [`Way`]: how a backend goes away.

use std::fmt;

/// How the backend goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It closes all connections with this code, and ends.
    Closes(u16),
    /// It is killed.
    Killed,
    /// It is frozen, and goes on before anyone takes it for dead.
    Frozen,
    /// It is frozen, taken for dead, and goes on.
    FrozenForLong,
}

impl Way {
    pub(crate) const ALL: [Self; 5] = [
        Self::Closes(1012),
        Self::Closes(1001),
        Self::Killed,
        Self::Frozen,
        Self::FrozenForLong,
    ];
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closes(code) => write!(f, "closes with {code}"),
            Self::Killed => f.write_str("is killed"),
            Self::Frozen => f.write_str("is frozen for a moment"),
            Self::FrozenForLong => f.write_str("is frozen and taken for dead"),
        }
    }
}
