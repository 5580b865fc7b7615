//! What is measured.

use std::fmt;
use std::time::Duration;

/// One measurement, made with every server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Messages go back and forth.
    Echo {
        /// Messages of each connection that are on their way.
        window: usize,
        /// Bytes of payload.
        size: usize,
        /// Open connections.
        connections: usize,
    },
    /// Connections stay open after one message each.
    Idle {
        /// Open connections.
        connections: usize,
    },
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo {
                window,
                size,
                connections,
            } => write!(f, "window-{window} {size} {connections}"),
            Self::Idle { connections } => write!(f, "idle {connections}"),
        }
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often every case is measured, with all servers in each turn.
    pub rounds: usize,
    /// How long messages flow before it counts.
    pub warm_up: Duration,
    /// How long it counts.
    pub measured: Duration,
    connections: &'static [usize],
}

/// What the tables in `results/` come from: about twenty minutes.
pub const FULL: Plan = Plan {
    rounds: 7,
    warm_up: Duration::from_millis(150),
    measured: Duration::from_millis(600),
    connections: &[10, 100, 500],
};

/// A first look: about three minutes.
pub const QUICK: Plan = Plan {
    rounds: 3,
    warm_up: Duration::from_millis(100),
    measured: Duration::from_millis(700),
    connections: &[100],
};

/// Windows and sizes; each is a slice of its own.
const EXCHANGES: &[(usize, usize)] = &[
    (1, 20),
    (1, 1024),
    (1, 16 * 1024),
    (1, 64 * 1024),
    (16, 20),
    (16, 1024),
];

const IDLE_CONNECTIONS: usize = 5000;

impl Plan {
    /// The cases, slice by slice. Whatever is measured side by side is in one slice.
    #[must_use]
    pub fn slices(&self) -> Vec<Vec<Case>> {
        let of = |&(window, size): &(usize, usize)| {
            let connections = self.connections.iter();
            connections
                .map(|&connections| Case::Echo {
                    window,
                    size,
                    connections,
                })
                .collect()
        };
        let mut slices: Vec<Vec<Case>> = EXCHANGES.iter().map(of).collect();
        slices.push(vec![Case::Idle {
            connections: IDLE_CONNECTIONS,
        }]);
        slices
    }
}
