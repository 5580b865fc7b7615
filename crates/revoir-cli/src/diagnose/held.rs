//! [`HoldSeen`]: what became of connections that were held.

use std::time::Duration;

use crate::diagnose::conversation::Broken;

/// What became of both connections.
#[derive(Debug)]
pub(crate) struct HoldSeen {
    pub(super) idle: Held,
    pub(super) pinged: Held,
}

/// What became of a connection that was held.
#[derive(Debug)]
pub(crate) struct Held {
    /// From its opening to its end, or to the end of the hold.
    pub(super) lived: Duration,
    pub(super) fate: Fate,
    /// Pings from the server: the connection was not idle.
    pub(super) pings: u64,
    /// Messages from the server: neither.
    pub(super) messages: u64,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It was alive at the end: a ping was answered.
    Lived,
    /// It looked alive, and a ping was not answered.
    SilentlyDead,
    Ended(Broken),
}
