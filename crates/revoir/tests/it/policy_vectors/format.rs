//! The JSON of `testdata/policy/decisions.json`. Its README says what every field means.

use std::time::{Duration, SystemTime};

use revoir::ending::Detail;
use revoir::handshake::HandshakeError;
use revoir::reconnect::{Class, Decision, DelayClass, History, Profile, Rule};
use revoir::{Cause, Ending, Policy};
use serde::{Deserialize, Serialize};

use crate::support::endings;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) policy: PolicyJson,
    pub(super) start: Start,
    pub(super) now: u64,
    pub(super) steps: Vec<Step>,
}

impl Scenario {
    pub(super) fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.now)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) ending: EndingJson,
    pub(super) random: u32,
    pub(super) decision: DecisionJson,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) attempts: u32,
    pub(super) last_delay_ms: u64,
}

impl Start {
    pub(super) fn build(self) -> History {
        History::after(self.attempts, Duration::from_millis(self.last_delay_ms))
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct PolicyJson {
    pub(super) registered: bool,
    pub(super) refresh: bool,
    pub(super) profile: Option<String>,
    pub(super) max_attempts: Option<u32>,
    pub(super) rules: Vec<RuleJson>,
}

impl PolicyJson {
    pub(super) fn build(&self) -> Policy {
        let mut policy = match self.registered {
            true => Policy::registered(),
            false => Policy::new(),
        };
        policy = policy.with_refresh(self.refresh);
        if let Some(id) = &self.profile {
            policy = policy.with_profile(Profile::from_id(id).unwrap());
        }
        if let Some(attempts) = self.max_attempts {
            policy = policy.with_max_attempts(attempts);
        }
        self.rules
            .iter()
            .fold(policy, |policy, rule| policy.with_rule(rule.build()))
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RuleJson {
    pub(super) name: String,
    pub(super) on: On,
    pub(super) delay: Option<DelayJson>,
    pub(super) at_most: Option<u16>,
    pub(super) refresh: bool,
    pub(super) resume: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum On {
    Codes(u16, u16),
    Statuses(u16, u16),
    Cause(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DelayJson {
    Class(String),
    RangeMs(u64, u64),
}

impl RuleJson {
    fn build(&self) -> Rule {
        let mut rule = match &self.on {
            On::Codes(first, last) => Rule::codes(*first..=*last),
            On::Statuses(first, last) => Rule::statuses(*first..=*last),
            On::Cause(id) => Rule::cause(cause(id)),
        }
        .named(self.name.clone());
        rule = match &self.delay {
            None => rule.stop(),
            Some(DelayJson::Class(id)) => {
                let mut classes = DelayClass::ALL.iter().copied();
                rule.with_class(classes.find(|class| class.id() == id).unwrap())
            }
            Some(DelayJson::RangeMs(min, max)) => {
                rule.with_delay(Duration::from_millis(*min)..=Duration::from_millis(*max))
            }
        };
        if self.refresh {
            rule = rule.refresh();
        }
        if let Some(attempts) = self.at_most {
            rule = rule.at_most(attempts);
        }
        match self.resume {
            true => rule,
            false => rule.afresh(),
        }
    }
}

pub(super) fn cause(id: &str) -> Cause {
    let mut causes = Cause::ALL.iter().copied();
    causes.find(|cause| cause.id() == id).unwrap()
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct EndingJson {
    pub(super) cause: String,
    pub(super) code: u16,
    pub(super) reason: String,
    pub(super) open_ms: u64,
    pub(super) status: Option<u16>,
    pub(super) retry_after: Option<String>,
    /// `unknown-name` or `garbled`.
    pub(super) detail: Option<String>,
}

impl EndingJson {
    pub(super) fn build(&self) -> Ending {
        let ending = match (cause(&self.cause), self.detail.as_deref()) {
            (Cause::ClosedByPeer, None) => endings::closed(self.code, &self.reason),
            (Cause::HandshakeRejected, None) => {
                endings::refused(self.status.unwrap(), self.retry_after.as_deref())
            }
            (Cause::HandshakeInvalid, Some("garbled")) => HandshakeError::BareLineFeed.into(),
            (cause @ Cause::Dns, Some("unknown-name")) => {
                Ending::never_opened(cause, Detail::Text("Name or service not known".into()))
            }
            (cause, None) => endings::with_cause(cause),
            (cause, Some(detail)) => panic!("{cause:?} has no detail {detail}"),
        };
        assert_eq!(ending.code().get(), self.code, "{self:?}");
        endings::after(Duration::from_millis(self.open_ms), ending)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DecisionJson {
    retry: bool,
    delay_ms: Option<u64>,
    rule: String,
    class: String,
    stop: Option<String>,
    attempt: u32,
    advised: bool,
    refresh: bool,
    resume: bool,
}

impl DecisionJson {
    pub(super) fn of(decision: &Decision) -> Self {
        let millis = |delay: Duration| u64::try_from(delay.as_millis()).unwrap();
        let stop = match decision.class {
            Class::Stop(why) => Some(why.id().to_owned()),
            _ => None,
        };
        Self {
            retry: decision.is_retry(),
            delay_ms: decision.delay.map(millis),
            rule: decision.rule.clone().into_owned(),
            class: decision.class.id().to_owned(),
            stop,
            attempt: decision.attempt,
            advised: decision.is_advised(),
            refresh: decision.refresh,
            resume: decision.resume,
        }
    }
}
