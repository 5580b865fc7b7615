//! A [`Policy`], with the keys of the policy file (`docs/policy.md`).

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::time::Duration;

use revoir_codes::advice::{DelayClass, DelayRange};
use revoir_proto::Cause;
use revoir_proto::named::{Named, Scalar};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::reconnect::policy::Policy;
use crate::reconnect::profile::Profile;
use crate::reconnect::rule::{On, Rule};
use crate::reconnect::verdict::Delay;

/// The whole policy.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PolicyTable {
    #[serde(default)]
    base: Base,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile: Option<Profile>,
    #[serde(
        default,
        deserialize_with = "max_attempts",
        skip_serializing_if = "Option::is_none"
    )]
    max_attempts: Option<u32>,
    #[serde(
        default,
        deserialize_with = "refresh",
        skip_serializing_if = "Option::is_none"
    )]
    refresh: Option<bool>,
    #[serde(default, rename = "rule")]
    rules: Vec<Rule>,
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Base {
    #[default]
    Default,
    Registered,
}

/// One rule.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct RuleTable {
    #[serde(deserialize_with = "code", skip_serializing_if = "Option::is_none")]
    code: Option<Numbers>,
    #[serde(deserialize_with = "status", skip_serializing_if = "Option::is_none")]
    status: Option<Numbers>,
    #[serde(deserialize_with = "cause", skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    #[serde(deserialize_with = "name", skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(deserialize_with = "stop", skip_serializing_if = "Option::is_none")]
    stop: Option<bool>,
    #[serde(deserialize_with = "class", skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    #[serde(deserialize_with = "delay", skip_serializing_if = "Option::is_none")]
    delay: Option<[String; 2]>,
    #[serde(deserialize_with = "attempts", skip_serializing_if = "Option::is_none")]
    attempts: Option<u16>,
    #[serde(deserialize_with = "refresh", skip_serializing_if = "Option::is_none")]
    refresh: Option<bool>,
    #[serde(deserialize_with = "resume", skip_serializing_if = "Option::is_none")]
    resume: Option<bool>,
}

macro_rules! named {
    ($($field:ident $name:literal: $type:ty),* $(,)?) => {
        $(fn $field<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<$type>, D::Error> {
            Named::<$type>::new($name).deserialize(deserializer)
        })*
    };
}

named!(
    max_attempts "max-attempts": u32,
    cause "cause": String,
    name "name": String,
    stop "stop": bool,
    class "class": String,
    attempts "attempts": u16,
    refresh "refresh": bool,
    resume "resume": bool,
);

fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Numbers>, D::Error> {
    let range = deserializer.deserialize_any(NumbersVisitor("code"))?;
    Ok(Some(range))
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Numbers>, D::Error> {
    let range = deserializer.deserialize_any(NumbersVisitor("status"))?;
    Ok(Some(range))
}

fn delay<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[String; 2]>, D::Error> {
    deserializer
        .deserialize_any(Pair::<String>::new("delay"))
        .map(Some)
}

/// `4001`, or `[4000, 4099]`.
struct Numbers(RangeInclusive<u16>);

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (*self.0.start(), *self.0.end()) {
            (first, last) if first == last => first.serialize(serializer),
            both => both.serialize(serializer),
        }
    }
}

struct NumbersVisitor(&'static str);

impl<'de> Visitor<'de> for NumbersVisitor {
    type Value = Numbers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.0;
        write!(
            f,
            "a number, or the first and the last one in brackets, for `{field}`"
        )
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Numbers, E> {
        let number = Named::<u16>::new(self.0).visit_u64(number)?.unwrap_or(0);
        Ok(Numbers(number..=number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Numbers, E> {
        let number = Named::<u16>::new(self.0).visit_i64(number)?.unwrap_or(0);
        Ok(Numbers(number..=number))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Numbers, A::Error> {
        let [first, last] = Pair::<u16>::new(self.0).visit_seq(items)?;
        Ok(Numbers(first..=last))
    }
}

/// Two values in brackets.
struct Pair<T>(&'static str, PhantomData<T>);

impl<T> Pair<T> {
    fn new(field: &'static str) -> Self {
        Self(field, PhantomData)
    }
}

impl<'de, T: Scalar> Visitor<'de> for Pair<T> {
    type Value = [T; 2];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "two values in brackets for `{}`", self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<[T; 2], A::Error> {
        let mut found = Vec::new();
        while let Some(item) = items.next_element_seed(Named::<T>::new(self.0))? {
            found.extend(item);
        }
        let count = found.len();
        found
            .try_into()
            .map_err(|_| A::Error::invalid_length(count, &self))
    }
}

/// By its identifier.
impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = Named::<String>::new("profile").deserialize(deserializer)?;
        let id = id.unwrap_or_default();
        Self::from_id(&id).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|profile| profile.id()).collect();
            let known = known.join(", ");
            D::Error::custom(format!("no profile {id:?}; choose one of {known}"))
        })
    }
}

/// As in the policy file.
impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut table = RuleTable::default();
        let like_new = match &self.on {
            On::Codes(codes) => {
                table.code = Some(Numbers(codes.clone()));
                Self::codes(codes.clone())
            }
            On::Statuses(statuses) => {
                table.status = Some(Numbers(statuses.clone()));
                Self::statuses(statuses.clone())
            }
            On::Cause(cause) => {
                table.cause = Some(cause.id().to_owned());
                Self::cause(*cause)
            }
        };
        let verdict = &self.verdict;
        if verdict.rule != like_new.verdict.rule {
            table.name = Some(verdict.rule.clone().into_owned());
        }
        match verdict.first {
            None => table.stop = Some(true),
            Some(Delay::Class(DelayClass::Normal)) => {}
            Some(Delay::Class(class)) => table.class = Some(class.id().to_owned()),
            Some(Delay::Range(DelayRange { min_ms, max_ms })) => {
                let written = |ms: u32| {
                    let time = Duration::from_millis(ms.into());
                    humantime::format_duration(time).to_string()
                };
                table.delay = Some([written(min_ms), written(max_ms)]);
            }
        }
        table.attempts = verdict.attempts;
        table.refresh = verdict.refresh.then_some(true);
        table.resume = (!verdict.resume).then_some(false);
        table.serialize(serializer)
    }
}

/// As in the policy file.
impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RuleVisitor)
    }
}

/// With a visitor of its own, formats that know lines tell that of the rule and not of the whole list.
struct RuleVisitor;

impl<'de> Visitor<'de> for RuleVisitor {
    type Value = Rule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table for `rule`")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rule, A::Error> {
        let table = RuleTable::deserialize(MapAccessDeserializer::new(map))?;
        table.rule().map_err(A::Error::custom)
    }
}

impl RuleTable {
    fn rule(self) -> Result<Rule, String> {
        let mut rule = match (self.code, self.status, &self.cause) {
            (Some(codes), None, None) => Rule::codes(codes.0),
            (None, Some(statuses), None) => Rule::statuses(statuses.0),
            (None, None, Some(id)) => Rule::cause(cause_of(id)?),
            _ => return Err("a rule has exactly one of `code`, `status` and `cause`".to_owned()),
        };
        rule = match (self.stop == Some(true), &self.class, &self.delay) {
            (true, None, None) => rule.stop(),
            (false, Some(id), None) => rule.with_class(class_of(id)?),
            (false, None, Some([from, to])) => rule.with_delay(time(from)?..=time(to)?),
            (false, None, None) => rule,
            _ => return Err("a rule has at most one of `stop`, `class` and `delay`".to_owned()),
        };
        if self.refresh == Some(true) {
            rule = rule.refresh();
        }
        if self.resume == Some(false) {
            rule = rule.afresh();
        }
        if let Some(attempts) = self.attempts {
            rule = rule.at_most(attempts);
        }
        Ok(match self.name {
            Some(name) => rule.named(name),
            None => rule,
        })
    }
}

fn cause_of(id: &str) -> Result<Cause, String> {
    let found = Cause::ALL.iter().find(|cause| cause.id() == id);
    found.copied().ok_or_else(|| {
        let known: Vec<&str> = Cause::ALL.iter().map(|cause| cause.id()).collect();
        format!("no cause {id:?}; choose one of {}", known.join(", "))
    })
}

fn class_of(id: &str) -> Result<DelayClass, String> {
    let found = DelayClass::ALL.iter().find(|class| class.id() == id);
    found.copied().ok_or_else(|| {
        let known: Vec<&str> = DelayClass::ALL.iter().map(|class| class.id()).collect();
        format!("no class {id:?}; choose one of {}", known.join(", "))
    })
}

fn time(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| {
        format!("`delay`: {text:?}: expected a time with its unit, such as 400ms, 20s or 5m")
    })
}

/// With the keys that `docs/policy.md` of the repository lists.
impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let table = PolicyTable {
            base: match self.is_registered() {
                true => Base::Registered,
                false => Base::Default,
            },
            profile: self.profile,
            max_attempts: self.max_attempts,
            refresh: self.refresh.then_some(true),
            rules: self.rules.clone(),
        };
        table.serialize(serializer)
    }
}

/// From the keys that `docs/policy.md` of the repository lists, in TOML, JSON or another format that
/// describes itself. An unknown key or value is an error that names it.
impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = PolicyTable::deserialize(deserializer)?;
        let mut policy = match table.base {
            Base::Default => Self::new(),
            Base::Registered => Self::registered(),
        };
        policy.rules = table.rules;
        policy.profile = table.profile;
        policy.max_attempts = table.max_attempts;
        Ok(policy.with_refresh(table.refresh == Some(true)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Policy, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_policy_comes_back_as_it_was() {
        let range = Duration::from_millis(1_500)..=Duration::from_secs(90);
        let policy = Policy::registered()
            .with_profile(Profile::Discord)
            .with_max_attempts(0)
            .with_refresh(true)
            .with_rule(Rule::code(4001).named("superseded").stop())
            .with_rule(Rule::codes(4100..=4199).refresh().at_most(2))
            .with_rule(Rule::statuses(500..=599).with_delay(range).afresh())
            .with_rule(Rule::cause(Cause::Eof).with_class(DelayClass::Slow))
            .with_rule(Rule::status(404));
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"base":"registered","profile":"discord","max-attempts":0,"refresh":true,"rule":["#,
                r#"{"code":4001,"name":"superseded","stop":true},"#,
                r#"{"code":[4100,4199],"attempts":2,"refresh":true},"#,
                r#"{"status":[500,599],"delay":["1s 500ms","1m 30s"],"resume":false},"#,
                r#"{"cause":"eof","class":"slow"},{"status":404}]}"#,
            )
        );
        assert_eq!(read(&text), Ok(policy));
        assert_eq!(read("{}"), Ok(Policy::new()));
    }

    #[test]
    fn what_is_wrong_names_its_field() {
        for (text, words) in [
            (r#"{"base":"mine"}"#, "unknown variant `mine`"),
            (r#"{"bass":"default"}"#, "unknown field `bass`"),
            (
                r#"{"profile":"soccer"}"#,
                "no profile \"soccer\"; choose one of centrifugo,",
            ),
            (r#"{"profile":1}"#, "expected a text for `profile`"),
            (
                r#"{"max-attempts":"7"}"#,
                "expected a number up to 4294967295 for `max-attempts`",
            ),
            (r#"{"rule":[{"code":"all"}]}"#, "in brackets, for `code`"),
            (
                r#"{"rule":[{"code":70000}]}"#,
                "expected a number up to 65535 for `code`",
            ),
            (
                r#"{"rule":[{"status":[1]}]}"#,
                "expected two values in brackets for `status`",
            ),
            (r#"{"rule":[{"status":[1,"x"]}]}"#, "for `status`"),
            (
                r#"{"rule":[{"code":1,"delay":"5s"}]}"#,
                "two values in brackets for `delay`",
            ),
            (
                r#"{"rule":[{"code":1,"delay":["5","6s"]}]}"#,
                "`delay`: \"5\": expected a time",
            ),
            (
                r#"{"rule":[{"code":1,"stop":1}]}"#,
                "expected true or false for `stop`",
            ),
            (r#"{"rule":[{"stop":true}]}"#, "exactly one of `code`,"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
