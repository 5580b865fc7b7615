//! [`Role`]: which side of the connection this is.

/// Which side of the connection this endpoint is.
///
/// The protocol differs by role in three places: a client masks its frames (RFC 6455 section 5.1),
/// a server closes TCP first (RFC 6455 section 7.1.1), and only a client sends 1010
/// (RFC 6455 section 7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The endpoint that opened the connection.
    Client,
    /// The endpoint that accepted the connection.
    Server,
}

impl Role {
    /// The role of the other end.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// Whether the frames that this role sends are masked (RFC 6455 section 5.1).
    #[must_use]
    pub const fn masks(self) -> bool {
        matches!(self, Self::Client)
    }

    /// Whether this role closes TCP first (RFC 6455 section 7.1.1).
    #[must_use]
    pub const fn closes_tcp_first(self) -> bool {
        matches!(self, Self::Server)
    }
}
