//! What is measured.

use std::fmt;
use std::time::Duration;

/// One measurement, made with every relay. One message of each connection is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// Bytes of payload.
    pub(crate) size: usize,
    /// Open connections.
    pub(crate) connections: usize,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "relay {} {}", self.size, self.connections)
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How often every case is measured, with all relays in each turn.
    pub(crate) rounds: usize,
    /// How long messages flow before it counts.
    pub(crate) warm_up: Duration,
    /// How long it counts.
    pub(crate) measured: Duration,
    /// The numbers of connections.
    pub(crate) connections: &'static [usize],
}

/// What the tables in `results/` come from: about five minutes.
pub(crate) const FULL: Plan = Plan {
    rounds: 5,
    warm_up: Duration::from_millis(200),
    measured: Duration::from_millis(800),
    connections: &[100, 1000],
};

/// A first look: about three minutes.
pub(crate) const QUICK: Plan = Plan {
    rounds: 3,
    warm_up: Duration::from_millis(200),
    measured: Duration::from_millis(700),
    connections: &[100, 1000],
};

/// Bytes of payload.
pub(crate) const SIZES: &[usize] = &[20, 1024, 16 * 1024];

impl Plan {
    /// All cases.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let of = |&size: &usize| {
            let connections = self.connections.iter();
            connections.map(move |&connections| Case { size, connections })
        };
        SIZES.iter().flat_map(of).collect()
    }
}
