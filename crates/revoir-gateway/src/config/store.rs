//! [`SessionsConfig`]: what holds for the sessions of all routes: where they are kept.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use revoir::session::{Disk, Store, StoreError};
use serde::{Deserialize, Serialize, Serializer};

use crate::config::error::ConfigError;

/// What holds for the sessions of all routes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SessionsConfig {
    /// Where they are kept.
    pub store: StoreConfig,
    /// The file with the keys of tokens, for routes that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<PathBuf>,
}

/// Where sessions are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreConfig {
    /// In this process, which they end with.
    #[default]
    Memory,
    /// In this file as well.
    Disk(PathBuf),
    /// At this address as well.
    Redis(RedisAddress),
}

/// The address of a Redis or Valkey. What may be a password in it is not shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct RedisAddress(pub String);

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return f.write_str("...");
        };
        // A query may have a password, too.
        let (rest, query) = rest
            .split_once('?')
            .map_or((rest, ""), |(rest, _)| (rest, "?..."));
        match rest.rsplit_once('@') {
            Some((_, place)) => write!(f, "{scheme}://...@{place}{query}"),
            None => write!(f, "{scheme}://{rest}{query}"),
        }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RedisAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl StoreConfig {
    /// Whether sessions outlive this process.
    pub(super) const fn outlives_process(&self) -> bool {
        !matches!(self, Self::Memory)
    }

    /// Why this build has no such store.
    pub(super) const fn mistake(&self) -> Option<&'static str> {
        match self {
            Self::Redis(_) if cfg!(not(feature = "redis")) => Some(
                "this revoir was built without Redis: build it with `--features redis`, or give a file, \
                 { disk = \"sessions.redb\" }",
            ),
            _ => None,
        }
    }

    /// Opens it; `None`: sessions are in this process only. To be called in a runtime.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, is of another version, or another process has it; or it is no such address. That a Redis is
    /// away is none.
    pub fn open(&self) -> Result<Option<Arc<dyn Store>>, ConfigError> {
        let (place, opened) = match self {
            Self::Memory => return Ok(None),
            Self::Disk(path) => (path.display().to_string(), open_file(path)),
            Self::Redis(address) => (address.to_string(), open_redis(address)),
        };
        opened.map(Some).map_err(|error| ConfigError::Store {
            place,
            what: error
                .source()
                .map_or_else(|| error.to_string(), ToString::to_string),
        })
    }
}

fn open_file(path: &Path) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(Disk::open(path)?))
}

#[cfg(feature = "redis")]
fn open_redis(address: &RedisAddress) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(revoir::session::Redis::new(&address.0)?))
}

#[cfg(not(feature = "redis"))]
fn open_redis(_: &RedisAddress) -> Result<Arc<dyn Store>, StoreError> {
    Err(StoreError::new("this revoir was built without Redis"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn written(session: &str) -> Result<SessionsConfig, String> {
        let parsed = parse(&format!("[session]\n{session}"));
        parsed
            .map(|config| config.session)
            .map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn a_store_is_a_word_a_file_or_an_address() {
        assert_eq!(written("").unwrap(), SessionsConfig::default());
        let memory = written("store = 'memory'").unwrap();
        assert_eq!(memory.store, StoreConfig::Memory);
        let disk = written("store = { disk = 'a.redb' }").unwrap();
        assert_eq!(disk.store, StoreConfig::Disk("a.redb".into()));
        let redis: SessionsConfig =
            toml::from_str("store = { redis = 'redis://me:pw@a:1/0' }").unwrap();
        let StoreConfig::Redis(address) = &redis.store else {
            panic!("{redis:?}");
        };
        assert_eq!(address.0, "redis://me:pw@a:1/0");
        for told in [format!("{redis:?}"), toml::to_string(&redis).unwrap()] {
            assert!(told.contains("redis://...@a:1/0"), "{told}");
            assert!(!told.contains("pw"), "{told}");
        }
        let unix = RedisAddress("redis+unix:///run/r.sock?db=1&pass=pw".into());
        assert_eq!(unix.to_string(), "redis+unix:///run/r.sock?...");
        for wrong in ["store = 'file'", "store = { disk = 1 }", "store = 7"] {
            assert!(written(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sessions_that_outlive_the_process_need_keys_that_do() {
        let with = |keys: &str| {
            let text = format!(
                "[session]\nstore = {{ disk = 'a.redb' }}\n{keys}\n\
                 [[route]]\nupstreams = ['ws://127.0.0.1:1']\nsession = true"
            );
            parse(&text).map_err(|wrong| wrong.key)
        };
        assert_eq!(with("").unwrap_err(), "session.keys");
        assert!(with("keys = 'session.keys'").is_ok());
    }

    #[cfg(not(feature = "redis"))]
    #[test]
    fn a_build_without_redis_says_so() {
        let text = "[session]\nstore = { redis = 'redis://a' }";
        let wrong = parse(text).unwrap_err();
        assert_eq!(wrong.key, "session.store");
        assert!(wrong.what.contains("--features redis"), "{wrong}");
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let store = StoreConfig::Disk(folder.path().join("none/a.redb"));
        let error = store.open().unwrap_err().to_string();
        assert!(error.starts_with("session.store: "), "{error}");
        assert!(error.contains("none/a.redb"), "{error}");
    }
}
