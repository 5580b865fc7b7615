//! [`AuthConfig`]: the `[route.auth]` of the file.

use std::fs;
use std::path::PathBuf;

use hyper::Uri;
use hyper::header::HeaderName;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::config::error::ConfigError;
use crate::config::values::{self, Time};
use crate::front::{AuthSettings, may_be_granted};
use crate::upstream::{NameTimes, Target, UpstreamTls};

/// Who is asked before a request goes to an upstream.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuthConfig {
    /// What is asked for.
    pub url: HookUrl,
    /// Fields of its answer that the backend gets.
    #[serde(default)]
    pub headers: Vec<FieldName>,
    /// For its answer.
    #[serde(
        default = "AuthConfig::default_time",
        deserialize_with = "values::at_least_ms::<100, _>"
    )]
    pub time: Time,
    /// How many are asked about at a time.
    #[serde(default = "AuthConfig::default_concurrent")]
    pub concurrent: std::num::NonZeroU32,
    /// The roots that vouch for it over TLS. `None`: the platform's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
}

/// Where the hook is: `http://HOST:PORT/PATH`, or the same with `https`.
#[derive(Clone, Debug, PartialEq)]
pub struct HookUrl(pub Uri);

/// The name of a field that a hook may set.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldName(pub HeaderName);

impl AuthConfig {
    fn default_time() -> Time {
        Time::seconds(5)
    }

    fn default_concurrent() -> std::num::NonZeroU32 {
        std::num::NonZeroU32::MIN.saturating_add(99)
    }

    /// # Errors
    ///
    /// The roots cannot be read or used.
    pub(super) fn settings(&self) -> Result<AuthSettings, ConfigError> {
        Ok(AuthSettings {
            uri: self.url.0.clone(),
            fields: self.headers.iter().map(|name| name.0.clone()).collect(),
            limit: self.time.0,
            at_once: usize::try_from(self.concurrent.get()).unwrap_or(usize::MAX),
            trust: self.url.trust("route.auth.ca", self.ca.as_ref())?,
            names: NameTimes::default(),
        })
    }
}

impl HookUrl {
    /// What vouches for it over TLS, if it is to: the roots in the file that `key` names, or the platform's.
    pub(super) fn trust(
        &self,
        key: &'static str,
        ca: Option<&PathBuf>,
    ) -> Result<Option<UpstreamTls>, ConfigError> {
        let is_secure = self.0.scheme_str() == Some("https");
        let Some(path) = ca else {
            return Ok(is_secure.then(UpstreamTls::platform));
        };
        // What cannot be used is said before it is needed.
        let unusable = |error| ConfigError::Roots {
            key,
            path: path.clone(),
            error,
        };
        let pem = fs::read(path).map_err(|error| unusable(error.into()))?;
        let trust = UpstreamTls::roots(pem).map_err(|error| unusable(error.into()))?;
        Ok(is_secure.then_some(trust))
    }
}

impl<'de> Deserialize<'de> for HookUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let uri = text.parse::<Uri>().ok().filter(|_| !text.contains('#'));
        let uri = uri.filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
        let uri = uri.filter(|uri| Target::of(uri).is_ok());
        // A query may hold a secret.
        let shown = text.split('?').next().unwrap_or_default();
        uri.map(Self).ok_or_else(|| {
            de::Error::custom(format!(
                "{shown:?}: expected http://HOST:PORT/PATH, or the same with https"
            ))
        })
    }
}

impl Serialize for HookUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let name = text.parse::<HeaderName>().map_err(|_| {
            de::Error::custom(format!("{text:?}: expected the name of a header field"))
        })?;
        match may_be_granted(&name) {
            false => Err(de::Error::custom(format!(
                "{text:?}: no hook can set this field; choose a name of your own, such as X-User"
            ))),
            true => Ok(Self(name)),
        }
    }
}

impl Serialize for FieldName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}
