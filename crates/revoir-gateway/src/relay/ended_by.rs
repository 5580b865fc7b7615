//! [`EndedBy`]: on whose account a client is closed.

/// On whose account a client is closed. A Close frame does not say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum EndedBy {
    /// The gateway's own: its operator, a limit, a drain.
    #[default]
    Gateway,
    /// The backend's, whose Close frame passes.
    Backend,
    /// Nobody's: there is no backend any more.
    NoBackend,
}
