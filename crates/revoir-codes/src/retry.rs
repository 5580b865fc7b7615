//! [`Advice`]: whether to come back after an ending, and how soon.

/// What to do after an ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advice {
    /// Whether to come back, and on which condition.
    pub retry: Retry,
    /// How long to wait before the first attempt; `None` if there is none.
    pub first: Option<DelayClass>,
    /// How long to wait before every later attempt; `None` if there is none.
    pub later: Option<DelayClass>,
    /// Make at most so many attempts after endings with the same code, without a stable connection
    /// between them; `None`: no such bound.
    pub attempts: Option<u8>,
    /// At a client: whether the session may be resumed.
    /// At a server: whether the session is worth keeping for a while.
    pub resume: bool,
    /// A stable identifier of the rule, for logs.
    pub rule: &'static str,
    /// What the advice rests on.
    pub basis: Basis,
}

impl Advice {
    /// The delay class of an attempt, counted from 1.
    #[must_use]
    pub fn class(&self, attempt: u32) -> Option<DelayClass> {
        if attempt <= 1 { self.first } else { self.later }
    }
}

/// Whether to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Do not come back.
    Never,
    /// Do not come back in a loop: the same thing will happen until somebody mends the cause.
    AfterFix,
    /// Get fresh credentials, then come back once.
    AfterRefresh,
    /// Come back, a few times only.
    Limited,
    /// Come back, for as long as it takes.
    Always,
    /// A server cannot come back; it waits for the client.
    Wait,
}

impl Retry {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::AfterFix => "after-fix",
            Self::AfterRefresh => "after-refresh",
            Self::Limited => "limited",
            Self::Always => "always",
            Self::Wait => "wait",
        }
    }
}

/// What a piece of advice rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Basis {
    /// RFC 6455 section 7.2.3.
    Rfc,
    /// Our own choice.
    Ours,
}

impl Basis {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Rfc => "rfc",
            Self::Ours => "ours",
        }
    }
}

/// How long to wait before an attempt: a range to draw from, evenly, that grows with attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DelayClass {
    /// First 0.25-1 s, then as `Normal`: when the cause is known to concern this client alone.
    Fast,
    /// First 0.25-5 s, then from 0.5 s up to a limit that doubles from 5 s to 30 s.
    Normal,
    /// First 1-5 s, then as `Normal`: after a restart that was announced without a time.
    Restart,
    /// From 5 s up to a limit that doubles from 20 s to 300 s.
    Slow,
}

impl DelayClass {
    /// All classes.
    pub const ALL: &'static [Self] = &[Self::Fast, Self::Normal, Self::Restart, Self::Slow];

    /// The range for an attempt, counted from 1; 0 is taken as 1.
    ///
    /// The limit comes first, then the draw: a delay at the limit still varies. No range starts
    /// below 250 ms, and no attempt number overflows.
    #[must_use]
    pub const fn range(self, attempt: u32) -> DelayRange {
        match (self, attempt) {
            (Self::Fast, 0 | 1) => DelayRange::new(250, 1_000),
            (Self::Normal, 0 | 1) => DelayRange::new(250, 5_000),
            (Self::Restart, 0 | 1) => DelayRange::new(1_000, 5_000),
            (Self::Fast | Self::Normal | Self::Restart, _) => {
                DelayRange::new(500, doubled(2_500, attempt - 1, 30_000))
            }
            (Self::Slow, _) => DelayRange::new(5_000, doubled(10_000, attempt, 300_000)),
        }
    }

    /// The largest delay of any attempt, in milliseconds.
    #[must_use]
    pub const fn cap_ms(self) -> u32 {
        self.range(u32::MAX).max_ms
    }

    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Normal => "normal",
            Self::Restart => "restart",
            Self::Slow => "slow",
        }
    }
}

/// `base` doubled `times` times, at most `cap`.
const fn doubled(base: u32, times: u32, cap: u32) -> u32 {
    // 2^20 * base is past every cap here and still fits.
    let times = if times > 20 { 20 } else { times };
    let value = (base as u64) << times;
    if value < cap as u64 {
        value as u32
    } else {
        cap
    }
}

/// A range of milliseconds to draw a delay from, evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DelayRange {
    /// The smallest delay.
    pub min_ms: u32,
    /// The largest delay.
    pub max_ms: u32,
}

impl DelayRange {
    const fn new(min_ms: u32, max_ms: u32) -> Self {
        Self { min_ms, max_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_double_up_to_their_cap() {
        let limits = |class: DelayClass| [1, 2, 3, 4, 5, 6, 7].map(|n| class.range(n).max_ms);
        let normal = [5_000, 5_000, 10_000, 20_000, 30_000, 30_000, 30_000];
        assert_eq!(limits(DelayClass::Normal), normal);
        assert_eq!(limits(DelayClass::Restart), normal);
        assert_eq!(limits(DelayClass::Fast)[..2], [1_000, 5_000]);
        let slow = [20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000];
        assert_eq!(limits(DelayClass::Slow), slow);
    }

    #[test]
    fn no_attempt_number_overflows_or_starts_below_a_quarter_second() {
        for class in DelayClass::ALL.iter().copied() {
            for attempt in [0, 1, 2, 30, 31, 32, 33, 64, 1_000_000, u32::MAX] {
                let range = class.range(attempt);
                assert!(range.min_ms >= 250, "{class:?} {attempt}");
                assert!(range.min_ms < range.max_ms, "{class:?} {attempt}");
            }
            assert_eq!(class.cap_ms(), class.range(1_000_000).max_ms);
        }
    }
}
