//! [`Policy`]: from an ending to a decision.

use std::time::SystemTime;

use revoir_codes::advice::{DelayClass, DelayRange};
use revoir_proto::Ending;

use crate::reconnect::decision::{Class, Decision, Stop, draw};
use crate::reconnect::history::History;
use crate::reconnect::profile::Profile;
use crate::reconnect::requested;
use crate::reconnect::rule::Rule;
use crate::reconnect::subject::Subject;
use crate::reconnect::table;
use crate::reconnect::verdict::Verdict;

/// The wait after 1012 that its registration asks for.
const REGISTERED: DelayRange = DelayRange {
    min_ms: 5_000,
    max_ms: 30_000,
};

/// Decides whether and when to come back.
///
/// The default table is that of `revoir_codes::advice` for codes, with HTTP statuses and causes of
/// connections that never opened beside it. Before it come a [`Profile`], and before that the
/// user's own [`Rule`]s. Whatever rule applies, if it comes back at all, then a time that the
/// server asked for replaces its delay: `Retry-After` on a refused handshake (seconds or a date,
/// with a spread of a quarter and at least 1 s), or a [`Slot`](crate::ending::Slot) at the end of the reason
/// of 1001, 1012 or 1013. More than an hour counts as an hour.
///
/// Delays are capped first and drawn afterwards, evenly over the whole range, and no range starts
/// below 250 ms: at the cap, clients still spread.
///
/// ```
/// use std::time::SystemTime;
///
/// use revoir::{Cause, Ending, Policy};
/// use revoir::ending::Detail;
/// use revoir::reconnect::History;
///
/// let policy = Policy::new();
/// let mut history = History::new();
/// let ending = Ending::never_opened(Cause::Refused, Detail::None);
/// for random in [0x8000_0000, 0xFFFF_FFFF] {
///     let decision = policy.decide(&ending, &history, SystemTime::now(), random);
///     println!("{decision}"); // attempt 1 in 2.625 s (rule refused, normal)
///     history.record(&ending, &decision);
/// }
/// assert_eq!(history.attempts(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(super) rules: Vec<Rule>,
    pub(super) profile: Option<Profile>,
    restart: DelayRange,
    pub(super) max_attempts: Option<u32>,
    pub(super) refresh: bool,
}

impl Policy {
    /// The default table. After 1012 and 503 without advice it waits 1-5 s.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rules: Vec::new(),
            profile: None,
            restart: DelayClass::Restart.range(1),
            max_attempts: None,
            refresh: false,
        }
    }

    /// As the registration of 1012 has it: after 1012, and after 503, a random 5-30 s.
    #[must_use]
    pub fn registered() -> Self {
        Self {
            restart: REGISTERED,
            ..Self::new()
        }
    }

    /// Whether it waits after a restart as the registration of 1012 says.
    #[cfg(feature = "serde")]
    pub(super) fn is_registered(&self) -> bool {
        self.restart == REGISTERED
    }

    /// Adds a rule. It comes after those added before, and before profile and table.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// What the codes of 3000-4999 mean to this server.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// Gives up after so many attempts in a row without a stable connection; 0 never comes back.
    #[must_use]
    pub fn with_max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    /// Whether there is a way to get fresh credentials. Without one, the default, what asks for them
    /// (1008, 3000, 401, 403) stops at once.
    #[must_use]
    pub fn with_refresh(mut self, refresh: bool) -> Self {
        self.refresh = refresh;
        self
    }

    /// What to do after `ending`, the last one of `history`'s connections.
    ///
    /// `now` is used for a `Retry-After` that names a date, and nothing else. `random` picks the
    /// delay from its range: evenly distributed numbers give evenly distributed delays. Equal
    /// arguments give equal decisions; nothing is remembered, that is for
    /// [`History::record`].
    #[must_use]
    pub fn decide(
        &self,
        ending: &Ending,
        history: &History,
        now: SystemTime,
        random: u32,
    ) -> Decision {
        let subject = Subject::of(ending);
        let verdict = self.verdict(ending, subject);
        let afresh = History::new();
        let history = match history.is_stable(ending) {
            true => &afresh,
            false => history,
        };
        let attempt = history.attempts().saturating_add(1);
        let used = history.counted(subject.key());
        let planned = verdict.delay(attempt, self.restart);
        let (class, delay) = match (planned, self.stop(&verdict, attempt, used)) {
            (None, _) => (Class::Stop(Stop::Final), None),
            (_, Some(why)) => (Class::Stop(why), None),
            (Some((class, range)), None) => {
                let (class, range) = match requested::range(ending, now) {
                    Some(range) => (Class::Advised, range),
                    None => (class, range),
                };
                (class, Some(draw(range, random)))
            }
        };
        Decision {
            rule: verdict.rule,
            class,
            attempt,
            delay,
            refresh: verdict.refresh && delay.is_some(),
            resume: verdict.resume && delay.is_some(),
            counted: verdict.attempts.is_some(),
        }
    }

    fn verdict(&self, ending: &Ending, subject: Subject) -> Verdict {
        let own = |rule: &Rule| rule.verdict(ending, subject);
        if let Some(verdict) = self.rules.iter().find_map(own) {
            return verdict;
        }
        if let (Some(profile), Subject::Code(code)) = (self.profile, subject)
            && let Some(verdict) = profile.verdict(code)
        {
            return verdict;
        }
        table::verdict(ending, subject)
    }

    /// Why an attempt that the table allows is not made.
    fn stop(&self, verdict: &Verdict, attempt: u32, used: u16) -> Option<Stop> {
        if verdict.refresh && !self.refresh {
            Some(Stop::NoCredentials)
        } else if verdict.attempts.is_some_and(|limit| used >= limit) {
            Some(Stop::Exhausted)
        } else if self.max_attempts.is_some_and(|limit| attempt > limit) {
            Some(Stop::MaxAttempts)
        } else {
            None
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}
