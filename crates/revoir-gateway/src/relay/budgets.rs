//! [`Budgets`]: what holds in a row have left, for each cause an account of its own.

use std::time::Duration;

use crate::relay::verdict::HoldCause;
use crate::rules::Rules;

/// What is left of the budgets of a client that was held a short while ago. An announced restart is
/// not to pay for a loss before it, so each cause has its account.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    planned: Option<Duration>,
    busy: Option<Duration>,
    lost: Option<Duration>,
}

impl Budgets {
    /// What a hold may use.
    pub(super) fn left(&mut self, why: HoldCause, rules: &Rules) -> Duration {
        let budget = why.budget(rules);
        self.of(why).map_or(budget, |left| left.min(budget))
    }

    /// Takes note of what a hold has left.
    pub(super) fn keep(&mut self, why: HoldCause, left: Duration) {
        *self.of(why) = Some(left);
    }

    const fn of(&mut self, why: HoldCause) -> &mut Option<Duration> {
        match why {
            HoldCause::Planned => &mut self.planned,
            HoldCause::Busy => &mut self.busy,
            HoldCause::Lost => &mut self.lost,
        }
    }
}
