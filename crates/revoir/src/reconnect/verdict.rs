//! [`Verdict`]: one row of the table, before randomness and history.

use std::borrow::Cow;

use revoir_codes::advice::{Advice, DelayClass, DelayRange, Retry};

use crate::reconnect::decision::Class;

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) rule: Cow<'static, str>,
    /// The delay of the first attempt; `None`: do not come back.
    pub(super) first: Option<Delay>,
    /// The delay of later attempts; `None`: as the first.
    pub(super) later: Option<Delay>,
    /// So many attempts after endings of the same subject without a stable connection.
    pub(super) attempts: Option<u16>,
    pub(super) refresh: bool,
    pub(super) resume: bool,
}

/// Where the delay of an attempt comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delay {
    Class(DelayClass),
    Range(DelayRange),
}

impl Verdict {
    pub(super) const fn new(rule: &'static str, first: Option<Delay>) -> Self {
        Self {
            rule: Cow::Borrowed(rule),
            first,
            later: None,
            attempts: None,
            refresh: false,
            resume: first.is_some(),
        }
    }

    pub(super) const fn stop(rule: &'static str) -> Self {
        Self::new(rule, None)
    }

    pub(super) const fn retry(rule: &'static str, class: DelayClass) -> Self {
        Self::new(rule, Some(Delay::Class(class)))
    }

    /// Slowly and a few times only: what is either a mistake or about to pass.
    pub(super) fn doubtful(rule: &'static str) -> Self {
        Self {
            attempts: Some(3),
            ..Self::retry(rule, DelayClass::Slow)
        }
    }

    /// Fresh credentials, then once more.
    pub(super) fn refresh(rule: &'static str) -> Self {
        Self {
            attempts: Some(1),
            refresh: true,
            ..Self::retry(rule, DelayClass::Normal)
        }
    }

    /// As the advice for a code says, under the name `rule`.
    pub(super) fn advised(advice: &Advice, rule: &'static str) -> Self {
        let first = match advice.retry {
            Retry::Never | Retry::Wait => None,
            Retry::AfterFix | Retry::AfterRefresh | Retry::Limited | Retry::Always => advice.first,
        };
        Self {
            rule: Cow::Borrowed(rule),
            first: first.map(Delay::Class),
            later: advice.later.map(Delay::Class),
            attempts: advice.attempts.map(u16::from),
            refresh: advice.retry == Retry::AfterRefresh,
            resume: advice.resume,
        }
    }

    /// The class and the range of an attempt, counted from 1; `None`: do not come back.
    /// `restart` is the range of a first attempt after a restart.
    pub(super) fn delay(&self, attempt: u32, restart: DelayRange) -> Option<(Class, DelayRange)> {
        let delay = match attempt {
            0 | 1 => self.first?,
            _ => self.later.or(self.first)?,
        };
        Some(match delay {
            Delay::Class(class @ DelayClass::Restart) if attempt <= 1 => (class.into(), restart),
            Delay::Class(class) => (class.into(), class.range(attempt)),
            Delay::Range(range) => (Class::Custom, range),
        })
    }
}
