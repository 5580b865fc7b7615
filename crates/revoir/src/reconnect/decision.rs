//! [`Decision`]: whether and when to come back, and which rule says so.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use revoir_codes::advice::{DelayClass, DelayRange};

/// What a [`Policy`](crate::Policy) says after an ending.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decision {
    /// The rule that decided: a stable identifier such as `code-1012`, `status-503`,
    /// `pusher-4000-4099`, or the name of a [`Rule`](crate::reconnect::Rule) of the user's own.
    pub rule: Cow<'static, str>,
    /// Where the delay comes from, or why there is none.
    pub class: Class,
    /// The number of the attempt that this is about, from 1; it starts again after a stable
    /// connection ([`History`](crate::reconnect::History)). Of a stop: of the attempt that is not made.
    pub attempt: u32,
    /// How long to wait before the attempt, in whole milliseconds; `None`: do not come back.
    pub delay: Option<Duration>,
    /// Whether to get fresh credentials before the attempt.
    pub refresh: bool,
    /// Whether a session, if there is one, may be resumed; otherwise it starts afresh.
    pub resume: bool,
    /// Whether the attempt counts against the few that the rule allows.
    pub(super) counted: bool,
}

impl Decision {
    /// Whether there is another attempt.
    #[must_use]
    pub const fn is_retry(&self) -> bool {
        self.delay.is_some()
    }

    /// Whether the delay is the one that the server asked for.
    #[must_use]
    pub const fn is_advised(&self) -> bool {
        matches!(self.class, Class::Advised)
    }
}

/// One line for people: `attempt 2 in 3.217 s (rule code-1012, advised)`.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, attempt, .. } = self;
        match (self.class, self.delay) {
            // The limit is 0: nobody has tried and failed.
            (Class::Stop(Stop::MaxAttempts), _) if *attempt == 1 => {
                write!(f, "no further attempt: none was asked for (rule {rule})")
            }
            (Class::Stop(why), _) => write!(f, "no further attempt: {why} (rule {rule})"),
            (class, delay) => {
                let seconds = delay.unwrap_or_default().as_secs_f64();
                let refresh = match self.refresh {
                    true => " with fresh credentials",
                    false => "",
                };
                let class = class.id();
                write!(
                    f,
                    "attempt {attempt}{refresh} in {seconds:.3} s (rule {rule}, {class})"
                )
            }
        }
    }
}

/// Where a delay comes from, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// [`DelayClass::Fast`].
    Fast,
    /// [`DelayClass::Normal`].
    Normal,
    /// [`DelayClass::Restart`], or the 5-30 s of the registration
    /// ([`Policy::registered`](crate::Policy::registered)).
    Restart,
    /// [`DelayClass::Slow`].
    Slow,
    /// The server said when: `Retry-After`, or the suffix of a Close reason.
    Advised,
    /// A range that a [`Rule`](crate::reconnect::Rule) of the user's own gives.
    Custom,
    /// There is no further attempt.
    Stop(Stop),
}

impl Class {
    /// A stable identifier in lower case: `stop` for every [`Stop`].
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Fast => DelayClass::Fast.id(),
            Self::Normal => DelayClass::Normal.id(),
            Self::Restart => DelayClass::Restart.id(),
            Self::Slow => DelayClass::Slow.id(),
            Self::Advised => "advised",
            Self::Custom => "custom",
            Self::Stop(_) => "stop",
        }
    }
}

impl From<DelayClass> for Class {
    fn from(class: DelayClass) -> Self {
        match class {
            DelayClass::Fast => Self::Fast,
            DelayClass::Restart => Self::Restart,
            DelayClass::Slow => Self::Slow,
            // The one for everything that says nothing else.
            _ => Self::Normal,
        }
    }
}

/// Why there is no further attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// The rule says so at once: another attempt would end the same way, or nobody wants it.
    Final,
    /// The rule allows a few attempts, and they are used up without a stable connection.
    Exhausted,
    /// The rule asks for fresh credentials, and there is nothing to get them from.
    NoCredentials,
    /// [`Policy::with_max_attempts`](crate::Policy::with_max_attempts).
    MaxAttempts,
}

impl Stop {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Exhausted => "exhausted",
            Self::NoCredentials => "no-credentials",
            Self::MaxAttempts => "max-attempts",
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Final => "coming back would not help",
            Self::Exhausted => "it ended this way too often without a stable connection",
            Self::NoCredentials => "it needs fresh credentials, and no hook gets them",
            Self::MaxAttempts => "the limit of attempts is reached",
        })
    }
}

/// The delay that `random`, evenly spread over all of `u32`, picks from `range`; both ends can
/// come out.
pub(super) fn draw(range: DelayRange, random: u32) -> Duration {
    let DelayRange { min_ms, max_ms } = range;
    let width = u64::from(max_ms.saturating_sub(min_ms)) + 1;
    // Below 2^64: both factors are at most 2^32.
    let part = (width * u64::from(random)) >> 32;
    Duration::from_millis(u64::from(min_ms) + part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coming_back_that_is_switched_off_has_not_reached_a_limit() {
        let stop = |attempt| Decision {
            rule: "refused".into(),
            class: Class::Stop(Stop::MaxAttempts),
            attempt,
            delay: None,
            refresh: false,
            resume: false,
            counted: false,
        };
        assert_eq!(
            stop(1).to_string(),
            "no further attempt: none was asked for (rule refused)"
        );
        assert!(stop(2).to_string().contains("the limit of attempts"));
    }

    #[test]
    fn a_draw_reaches_both_ends_of_its_range_and_nothing_else() {
        let range = DelayRange {
            min_ms: 250,
            max_ms: 5_000,
        };
        assert_eq!(draw(range, 0), Duration::from_millis(250));
        assert_eq!(draw(range, u32::MAX), Duration::from_millis(5_000));
        let all = DelayRange {
            min_ms: 0,
            max_ms: u32::MAX,
        };
        assert_eq!(
            draw(all, u32::MAX),
            Duration::from_millis(u64::from(u32::MAX))
        );
    }
}
