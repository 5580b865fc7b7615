//! [`Rule`]: a rule of the user's own.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use revoir_codes::advice::{DelayClass, DelayRange};
use revoir_proto::{Cause, Ending};

use crate::reconnect::SHORTEST_MS;
use crate::reconnect::subject::Subject;
use crate::reconnect::verdict::{Delay, Verdict};

/// What to do after endings of one kind, in place of the table. A new rule comes back, in delays of
/// the class `normal`, for as long as it takes.
///
/// ```
/// use std::time::Duration;
///
/// use revoir::Policy;
/// use revoir::reconnect::{DelayClass, Rule};
///
/// let policy = Policy::new()
///     // "Logged in elsewhere": do not fight over it.
///     .with_rule(Rule::code(4001).named("superseded").stop())
///     .with_rule(Rule::codes(4100..=4199).refresh())
///     .with_rule(Rule::code(1000).with_class(DelayClass::Slow).at_most(5))
///     .with_rule(Rule::status(404).with_delay(Duration::from_secs(30)..=Duration::from_secs(60)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(super) on: On,
    pub(super) verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum On {
    Codes(RangeInclusive<u16>),
    Statuses(RangeInclusive<u16>),
    Cause(Cause),
}

impl Rule {
    /// For endings with this code, as [`Ending::code`] tells it: 1006 means every ending without a
    /// Close frame from the peer, also of a connection that never opened.
    #[must_use]
    pub fn code(code: u16) -> Self {
        Self::codes(code..=code)
    }

    /// For endings with a code in this range.
    #[must_use]
    pub fn codes(codes: RangeInclusive<u16>) -> Self {
        let name = format!("user-code-{}", range_name(&codes));
        Self::new(On::Codes(codes), name)
    }

    /// For handshakes refused with this HTTP status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::statuses(status..=status)
    }

    /// For handshakes refused with an HTTP status in this range.
    #[must_use]
    pub fn statuses(statuses: RangeInclusive<u16>) -> Self {
        let name = format!("user-status-{}", range_name(&statuses));
        Self::new(On::Statuses(statuses), name)
    }

    /// For endings with this cause.
    #[must_use]
    pub fn cause(cause: Cause) -> Self {
        Self::new(On::Cause(cause), format!("user-cause-{}", cause.id()))
    }

    fn new(on: On, name: String) -> Self {
        let mut verdict = Verdict::retry("", DelayClass::Normal);
        verdict.rule = Cow::Owned(name);
        Self { on, verdict }
    }

    /// Gives the rule a name, for [`Decision::rule`](crate::reconnect::Decision::rule). Default:
    /// `user-code-4000-4099` and the like.
    #[must_use]
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.verdict.rule = name.into();
        self
    }

    /// Do not come back.
    #[must_use]
    pub fn stop(mut self) -> Self {
        self.verdict.first = None;
        self
    }

    /// Come back in delays of this class.
    #[must_use]
    pub fn with_class(mut self, class: DelayClass) -> Self {
        self.verdict.first = Some(Delay::Class(class));
        self
    }

    /// Come back after a delay drawn evenly from this range, which does not grow. It starts at
    /// 250 ms at least, and ends within 49 days.
    #[must_use]
    pub fn with_delay(mut self, delay: RangeInclusive<Duration>) -> Self {
        let millis = |time: &Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        let min_ms = millis(delay.start()).max(SHORTEST_MS);
        let max_ms = millis(delay.end()).max(min_ms);
        self.verdict.first = Some(Delay::Range(DelayRange { min_ms, max_ms }));
        self
    }

    /// Make so many attempts at most after endings with the same code, status or cause, without a
    /// stable connection between them.
    #[must_use]
    pub fn at_most(mut self, attempts: u16) -> Self {
        self.verdict.attempts = Some(attempts);
        self
    }

    /// Get fresh credentials first, then make one attempt; [`at_most`](Self::at_most) after this
    /// allows more.
    #[must_use]
    pub fn refresh(mut self) -> Self {
        self.verdict.refresh = true;
        self.at_most(1)
    }

    /// Do not resume a session: start afresh.
    #[must_use]
    pub fn afresh(mut self) -> Self {
        self.verdict.resume = false;
        self
    }

    pub(super) fn verdict(&self, ending: &Ending, subject: Subject) -> Option<Verdict> {
        let applies = match &self.on {
            On::Codes(codes) => codes.contains(&ending.code().get()),
            On::Statuses(statuses) => {
                matches!(subject, Subject::Status(status) if statuses.contains(&status))
            }
            On::Cause(cause) => ending.cause == *cause,
        };
        applies.then(|| self.verdict.clone())
    }
}

fn range_name(range: &RangeInclusive<u16>) -> String {
    let (first, last) = (range.start(), range.end());
    match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    }
}
