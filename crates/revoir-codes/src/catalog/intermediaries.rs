//! What stands between client and server, and when it ends a connection by itself.

use crate::catalog::source::Source;
use crate::generated::catalog::INTERMEDIARIES;

/// A proxy, a load balancer or a gateway with limits of its own.
#[derive(Debug)]
#[non_exhaustive]
pub struct Intermediary {
    /// The product.
    pub name: &'static str,
    /// Seconds without traffic after which it ends a connection, by default; `None` if traffic
    /// does not matter, or the value is not known.
    pub idle_s: Option<u32>,
    /// The longest life of a connection in seconds, by default, whatever travels.
    pub life_s: Option<u32>,
    /// What the client gets.
    pub sees: Sees,
    /// What changes the limit; `None` where nothing does, or it is not known.
    pub setting: Option<&'static str>,
    /// Where this was read.
    pub source: Source,
}

/// What a client gets to see of a connection that an intermediary ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sees {
    /// TCP ends without a Close frame: 1006.
    Abnormal,
    /// A Close frame with 1001.
    GoingAway,
    /// Nothing: packets vanish, and only a ping finds out.
    Silence,
}

impl Sees {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Abnormal => "abnormal",
            Self::GoingAway => "going-away",
            Self::Silence => "silence",
        }
    }
}

/// A ping with this period, in seconds, stays below every idle limit on record.
pub const SAFE_PING_S: u32 = 20;

/// Every intermediary on record.
#[must_use]
pub fn intermediaries() -> &'static [Intermediary] {
    INTERMEDIARIES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_safe_ping_is_below_every_idle_limit_even_if_one_is_lost() {
        for of in intermediaries() {
            let idle = of.idle_s.unwrap_or(u32::MAX);
            assert!(2 * SAFE_PING_S < idle, "{}", of.name);
        }
    }
}
