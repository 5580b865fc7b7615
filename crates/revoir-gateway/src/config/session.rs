//! [`SessionConfig`]: the `session` of a route.

use std::fmt;
use std::path::{Path, PathBuf};

use hyper::header::HeaderName;
use revoir::session::{Durable, Keys, Overflow, Window, read_keys};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::auth::HookUrl;
use crate::config::error::ConfigError;
use crate::config::values::{self, Time};
use crate::session::{CallbackSettings, PrincipalOf, SessionSettings};
use crate::upstream::NameTimes;

/// What the sessions of a route are told.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SessionConfig {
    /// Whose sessions they are.
    #[serde(with = "principal")]
    pub principal: PrincipalOf,
    /// For how long a session outlives its connection at most.
    #[serde(
        default = "SessionConfig::default_ttl",
        deserialize_with = "values::at_least_ms::<1000, _>"
    )]
    pub ttl: Time,
    /// What is kept at most for one client, in messages.
    #[serde(
        default = "SessionConfig::default_messages",
        deserialize_with = "values::at_least_one"
    )]
    pub messages: u32,
    /// The same, in bytes.
    #[serde(
        default = "SessionConfig::default_bytes",
        deserialize_with = "values::at_least_one"
    )]
    pub bytes: u64,
    /// What follows when that is full, and the client away.
    #[serde(default = "SessionConfig::default_overflow", with = "overflow")]
    pub overflow: Overflow,
    /// What waits for the store, if there is one.
    #[serde(default, with = "durable")]
    pub durable: Durable,
    /// The file with the keys of tokens. `None`: that of `session.keys`, or a random one for each process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<PathBuf>,
    /// Whom to tell that a client is away, or back. `None`: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<HookUrl>,
    /// For its answer.
    #[serde(
        default = "SessionConfig::default_callback_time",
        deserialize_with = "values::at_least_ms::<100, _>"
    )]
    pub callback_time: Time,
    /// The roots that vouch for it over TLS. `None`: the platform's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_ca: Option<PathBuf>,
}

impl Default for SessionConfig {
    fn default() -> Self {
        let settings = SessionSettings::default();
        Self {
            principal: settings.principal,
            ttl: Time(settings.ttl),
            messages: Self::default_messages(),
            bytes: settings.window.bytes,
            overflow: settings.overflow,
            durable: settings.durable,
            keys: None,
            callback: None,
            callback_time: Self::default_callback_time(),
            callback_ca: None,
        }
    }
}

impl SessionConfig {
    fn default_ttl() -> Time {
        Time(SessionSettings::default().ttl)
    }

    fn default_messages() -> u32 {
        u32::try_from(Window::DEFAULT.messages).unwrap_or(u32::MAX)
    }

    fn default_overflow() -> Overflow {
        SessionSettings::default().overflow
    }

    fn default_callback_time() -> Time {
        Time::seconds(2)
    }

    fn default_bytes() -> u64 {
        Window::DEFAULT.bytes
    }

    /// # Errors
    ///
    /// The keys or the roots cannot be read or used.
    pub(super) fn settings(&self) -> Result<SessionSettings, ConfigError> {
        let keys = self.keys.as_ref();
        let keys = keys.map(|path| self::keys("route.session.keys", path));
        Ok(SessionSettings {
            principal: self.principal.clone(),
            ttl: self.ttl.0,
            window: Window {
                messages: self.messages.into(),
                bytes: self.bytes,
            },
            overflow: self.overflow,
            durable: self.durable,
            keys: keys.transpose()?,
            callback: self.callback()?,
        })
    }

    fn callback(&self) -> Result<Option<CallbackSettings>, ConfigError> {
        let Some(url) = &self.callback else {
            return Ok(None);
        };
        let ca = self.callback_ca.as_ref();
        Ok(Some(CallbackSettings {
            uri: url.0.clone(),
            limit: self.callback_time.0,
            trust: url.trust("route.session.callback-ca", ca)?,
            names: NameTimes::default(),
        }))
    }
}

/// The keys of tokens in a file that `key` names.
pub(super) fn keys(key: &str, path: &Path) -> Result<Keys, ConfigError> {
    read_keys(path).map_err(|error| ConfigError::SessionKeys {
        key: key.to_owned(),
        path: path.to_owned(),
        error,
    })
}

/// `session = true`, or a table.
pub(super) fn session<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SessionConfig>, D::Error> {
    struct TrueOrTable;

    impl<'de> Visitor<'de> for TrueOrTable {
        type Value = Option<SessionConfig>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true, false, or a table with `principal`")
        }

        fn visit_bool<E: de::Error>(self, is_wanted: bool) -> Result<Self::Value, E> {
            Ok(is_wanted.then(SessionConfig::default))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            SessionConfig::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    deserializer.deserialize_any(TrueOrTable)
}

mod principal {
    use super::*;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PrincipalOf, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_name = |name: &str| name.parse::<HeaderName>().is_ok();
        match (&*text, text.split_once(':')) {
            ("none", _) => return Ok(PrincipalOf::Nobody),
            ("authorization", _) => return Ok(PrincipalOf::Authorization),
            // The names of cookies are tokens, as those of fields are (RFC 6265 section 4.1.1).
            (_, Some(("cookie", name))) if is_name(name) => {
                return Ok(PrincipalOf::Cookie(name.to_owned()));
            }
            (_, Some(("hook", name))) => {
                if let Ok(name) = name.parse() {
                    return Ok(PrincipalOf::Hook(name));
                }
            }
            _ => {}
        }
        Err(de::Error::custom(format!(
            "{text:?}: expected hook:FIELD (of route.auth.headers), cookie:NAME, authorization or none"
        )))
    }

    pub(super) fn serialize<S: Serializer>(
        principal: &PrincipalOf,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match principal {
            PrincipalOf::Nobody => serializer.serialize_str("none"),
            PrincipalOf::Authorization => serializer.serialize_str("authorization"),
            PrincipalOf::Cookie(name) => serializer.collect_str(&format_args!("cookie:{name}")),
            PrincipalOf::Hook(name) => serializer.collect_str(&format_args!("hook:{name}")),
        }
    }
}

const OVERFLOWS: &[(&str, Overflow)] = &[
    ("expire", Overflow::Expire),
    ("drop-oldest", Overflow::DropOldest),
    ("wait", Overflow::Wait),
];

const DURABLES: &[(&str, Durable)] = &[
    ("acks", Durable::Acks),
    ("before-send", Durable::BeforeSend),
];

/// One of a few words.
fn of_word<'de, D: Deserializer<'de>, T: Copy>(
    words: &[(&str, T)],
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let (last, others) = words.split_last().unwrap_or((&"nothing", &[]));
        de::Error::custom(format!(
            "{text:?}: expected {} or {last}",
            others.join(", ")
        ))
    })
}

/// The word for it; the first one for what has none.
fn as_word<S: Serializer, T: Copy + PartialEq>(
    words: &[(&str, T)],
    value: T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let found = words.iter().find(|(_, one)| *one == value);
    let word = found
        .or_else(|| words.first())
        .map_or("", |(word, _)| *word);
    serializer.serialize_str(word)
}

mod overflow {
    use super::*;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Overflow, D::Error> {
        of_word(OVERFLOWS, from)
    }

    pub(super) fn serialize<S: Serializer>(value: &Overflow, to: S) -> Result<S::Ok, S::Error> {
        as_word(OVERFLOWS, *value, to)
    }
}

mod durable {
    use super::*;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Durable, D::Error> {
        of_word(DURABLES, from)
    }

    pub(super) fn serialize<S: Serializer>(value: &Durable, to: S) -> Result<S::Ok, S::Error> {
        as_word(DURABLES, *value, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn session(route: &str) -> Option<SessionConfig> {
        let text = format!("[[route]]\nupstreams = ['ws://127.0.0.1:1']\n{route}");
        parse(&text).unwrap().routes.remove(0).session
    }

    #[test]
    fn a_route_has_sessions_if_it_says_so() {
        assert_eq!(session(""), None);
        assert_eq!(session("session = false"), None);
        assert_eq!(session("session = true"), Some(SessionConfig::default()));
        let written = "[route.session]\nprincipal = 'cookie:sid'\nttl = '7s'\noverflow = 'wait'\ndurable = 'before-send'";
        let session = session(written).unwrap();
        assert_eq!(session.principal, PrincipalOf::Cookie("sid".to_owned()));
        assert_eq!(session.ttl, Time::seconds(7));
        let settings = session.settings().unwrap();
        assert_eq!(settings.overflow, Overflow::Wait);
        assert_eq!(settings.durable, Durable::BeforeSend);
        assert_eq!(settings.window, Window::DEFAULT);
    }

    #[test]
    fn what_a_session_cannot_be_is_said() {
        let wrong = |route: &str| {
            let text = format!("[[route]]\n{route}");
            match parse(&text) {
                Err(wrong) => wrong.to_string(),
                Ok(config) => config.check().unwrap_err().to_string(),
            }
        };
        let up = "upstreams = ['ws://127.0.0.1:1']";
        for (route, said) in [
            (
                "session = true".to_owned(),
                "what is built in has no sessions",
            ),
            (format!("{up}\nsession = 'yes'"), "true, false, or a table"),
            (format!("{up}\nsession = {{ ttl = '7s' }}"), "principal"),
            (
                format!("{up}\nsession = {{ principal = 'me' }}"),
                "expected hook:FIELD",
            ),
            (
                format!("{up}\nsession = {{ principal = 'cookie:a b' }}"),
                "expected hook:FIELD",
            ),
            (
                format!("{up}\nsession = {{ principal = 'hook:X-User' }}"),
                "is not among `auth.headers`",
            ),
            (
                format!("{up}\nsession = {{ principal = 'none', overflow = 'no' }}"),
                "expire, drop-oldest or wait",
            ),
            (
                format!("{up}\nsession = {{ principal = 'none', durable = 'no' }}"),
                "expected acks or before-send",
            ),
            (
                format!("{up}\nsession = {{ principal = 'none', keys = '/nowhere' }}"),
                "route.session.keys: /nowhere",
            ),
        ] {
            let told = wrong(&route);
            assert!(told.contains(said), "{route}: {told}");
        }
    }
}
