//! [`Phase`]: what happens to the gateways and to Redis, one after the other.

/// What happens while a client comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Start,
    Kills,
    Frozen,
    CutOff,
    End,
}

impl Phase {
    pub(super) const ALL: [Self; 5] = [
        Self::Start,
        Self::Kills,
        Self::Frozen,
        Self::CutOff,
        Self::End,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Start => "at the beginning",
            Self::Kills => "a node is killed every 10 s",
            Self::Frozen => "Redis stands still for 5 s",
            Self::CutOff => "a node does not reach Redis for 10 s",
            Self::End => "afterwards",
        }
    }
}
