//! A [`Decision`], with the fields of `docs/json.md`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use revoir_codes::advice::DelayClass;
use revoir_proto::named::Named;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::reconnect::decision::{Class, Decision, Stop};

#[derive(Serialize)]
struct Fields<'a> {
    retry: bool,
    delay_ms: Option<u64>,
    rule: &'a str,
    class: &'static str,
    stop: Option<&'static str>,
    attempt: u32,
    advised: bool,
    refresh: bool,
    resume: bool,
    counted: bool,
}

/// With the fields that `docs/json.md` of the repository lists.
impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let milliseconds = |delay: Duration| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        let fields = Fields {
            retry: self.is_retry(),
            delay_ms: self.delay.map(milliseconds),
            rule: &self.rule,
            class: self.class.id(),
            stop: match self.class {
                Class::Stop(why) => Some(why.id()),
                _ => None,
            },
            attempt: self.attempt,
            advised: self.is_advised(),
            refresh: self.refresh,
            resume: self.resume,
            counted: self.counted,
        };
        fields.serialize(serializer)
    }
}

/// What [`Serialize`] has written. `rule`, `class` and `attempt` have to be there, and `stop` or
/// `delay_ms`; `retry` and `advised` follow from them and are not read, and neither is what is unknown
/// here.
impl<'de> Deserialize<'de> for Decision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DecisionVisitor)
    }
}

struct DecisionVisitor;

impl<'de> Visitor<'de> for DecisionVisitor {
    type Value = Decision;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decision, as an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Decision, A::Error> {
        let mut read = ReadFields::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "delay_ms" => read.delay_ms = map.next_value_seed(Named::new("delay_ms"))?,
                "rule" => read.rule = map.next_value_seed(Named::new("rule"))?,
                "class" => read.class = map.next_value_seed(Named::new("class"))?,
                "stop" => read.stop = map.next_value_seed(Named::new("stop"))?,
                "attempt" => read.attempt = map.next_value_seed(Named::new("attempt"))?,
                "refresh" => read.refresh = map.next_value_seed(Named::new("refresh"))?,
                "resume" => read.resume = map.next_value_seed(Named::new("resume"))?,
                "counted" => read.counted = map.next_value_seed(Named::new("counted"))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        read.decision()
    }
}

/// What was read, before it is understood.
#[derive(Default)]
struct ReadFields {
    delay_ms: Option<u64>,
    rule: Option<String>,
    class: Option<String>,
    stop: Option<String>,
    attempt: Option<u32>,
    refresh: Option<bool>,
    resume: Option<bool>,
    counted: Option<bool>,
}

impl ReadFields {
    fn decision<E: Error>(self) -> Result<Decision, E> {
        let class = self.class()?;
        let delay = match (class, self.delay_ms) {
            (Class::Stop(_), None) => None,
            (Class::Stop(_), Some(_)) => {
                return Err(E::custom("`delay_ms`: got a delay, and `class` is stop"));
            }
            (_, delay) => {
                let delay = delay.ok_or_else(|| E::missing_field("delay_ms"))?;
                Some(Duration::from_millis(delay))
            }
        };
        Ok(Decision {
            rule: self.rule.ok_or_else(|| E::missing_field("rule"))?.into(),
            class,
            attempt: self.attempt.ok_or_else(|| E::missing_field("attempt"))?,
            delay,
            refresh: self.refresh.unwrap_or(false),
            resume: self.resume.unwrap_or_else(|| delay.is_some()),
            counted: self.counted.unwrap_or(false),
        })
    }

    fn class<E: Error>(&self) -> Result<Class, E> {
        const STOPS: [Stop; 4] = [
            Stop::Final,
            Stop::Exhausted,
            Stop::NoCredentials,
            Stop::MaxAttempts,
        ];
        let id = self.class.as_deref();
        let id = id.ok_or_else(|| E::missing_field("class"))?;
        let mut classes: Vec<Class> = DelayClass::ALL.iter().copied().map(Class::from).collect();
        classes.extend([Class::Advised, Class::Custom]);
        if let Some(class) = classes.iter().find(|class| class.id() == id) {
            return Ok(*class);
        }
        if id != Class::Stop(Stop::Final).id() {
            let known: Vec<&str> = classes.iter().map(|class| class.id()).collect();
            let known = known.join(", ");
            let what = format!("`class`: got {id:?}, expected one of {known}, stop");
            return Err(E::custom(what));
        }
        let why = self.stop.as_deref();
        let why = why.ok_or_else(|| E::missing_field("stop"))?;
        let stop = STOPS.into_iter().find(|stop| stop.id() == why);
        stop.map(Class::Stop).ok_or_else(|| {
            let known = STOPS.map(Stop::id).join(", ");
            E::custom(format!("`stop`: got {why:?}, expected one of {known}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Decision, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_decision_comes_back_as_it_was() {
        let retry = Decision {
            rule: "code-1012".into(),
            class: Class::Restart,
            attempt: 2,
            delay: Some(Duration::from_millis(3_217)),
            refresh: true,
            resume: true,
            counted: true,
        };
        let stop = Decision {
            class: Class::Stop(Stop::Exhausted),
            delay: None,
            refresh: false,
            resume: false,
            ..retry.clone()
        };
        let advised = Decision {
            class: Class::Advised,
            counted: false,
            ..retry.clone()
        };
        for decision in [retry, stop, advised] {
            let text = serde_json::to_string(&decision).unwrap();
            assert_eq!(read(&text), Ok(decision), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_names_its_field() {
        for (text, words) in [
            (
                r#"{"class":"fast","attempt":1,"delay_ms":9}"#,
                "missing field `rule`",
            ),
            (
                r#"{"rule":"x","class":"fast","delay_ms":9}"#,
                "missing field `attempt`",
            ),
            (
                r#"{"rule":"x","class":"fast","attempt":1}"#,
                "missing field `delay_ms`",
            ),
            (
                r#"{"rule":"x","class":"stop","attempt":1}"#,
                "missing field `stop`",
            ),
            (r#"{"rule":7}"#, "expected a text for `rule`"),
            (
                r#"{"attempt":-1}"#,
                "expected a number up to 4294967295 for `attempt`",
            ),
            (r#"{"resume":"yes"}"#, "expected true or false for `resume`"),
            (
                r#"{"rule":"x","class":"lazy","attempt":1}"#,
                "`class`: got \"lazy\", expected one of fast, normal, restart, slow, advised, custom, stop",
            ),
            (
                r#"{"rule":"x","class":"stop","stop":"bored","attempt":1}"#,
                "`stop`: got \"bored\", expected one of final,",
            ),
            (
                r#"{"rule":"x","class":"stop","stop":"final","attempt":1,"delay_ms":5}"#,
                "`delay_ms`: got a delay",
            ),
            ("[]", "a decision, as an object"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
