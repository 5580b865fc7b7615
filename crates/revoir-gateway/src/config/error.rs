//! [`ConfigError`]: why a configuration cannot be used.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The key, with those it stands under. Empty where the text is no TOML.
    pub key: String,
    /// The rule that it breaks.
    pub what: String,
}

impl Wrong {
    pub(super) fn at(text: &str, offset: usize, key: String, what: impl fmt::Display) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            key,
            what: what.to_string(),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

impl Error for Wrong {}

/// A key whose value cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key, with those it stands under.
    pub key: String,
    /// What is wrong with its value.
    pub what: String,
}

impl Mistake {
    pub(super) fn new(key: impl Into<String>, what: impl Into<String>) -> Self {
        let (key, what) = (key.into(), what.into());
        Self { key, what }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, what } = self;
        write!(f, "{key}: {what}")
    }
}

/// Why a configuration cannot be used.
#[derive(Debug)]
pub enum ConfigError {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// What stands in the file is wrong.
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        wrong: Wrong,
    },
    /// What it says cannot be used, wherever it comes from.
    Mistake(Mistake),
    /// A certificate or its key cannot be read or used.
    Certificate {
        /// The key that names the file.
        key: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        error: Box<dyn Error + Send + Sync>,
    },
    /// The keys of sessions cannot be read or used.
    SessionKeys {
        /// The key that names the file.
        key: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The store of sessions cannot be opened.
    Store {
        /// The file or the address.
        place: String,
        /// Why not.
        what: String,
    },
    /// A file of roots cannot be read, or has none.
    Roots {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        error: Box<dyn Error + Send + Sync>,
    },
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "give the path of a file as of docs/gateway.md",
            Self::Wrong { .. } | Self::Mistake(_) => {
                "docs/gateway.md lists what may stand there; docs/revoir.toml has every key"
            }
            Self::Certificate { .. } => {
                "give PEM files: the certificate, then those that vouch for it, and its key"
            }
            Self::SessionKeys { .. } => {
                "`openssl rand -hex 32` writes a key: give it to all that share sessions"
            }
            Self::Store { .. } => {
                "docs/session-stores.md says what a store needs; `store = \"memory\"` needs none"
            }
            Self::Roots { .. } => "give the path of a PEM file with the roots to trust",
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, error } => {
                write!(f, "cannot read {}: {error}", path.display())
            }
            Self::Wrong { path, wrong } => write!(f, "{}:{wrong}", path.display()),
            Self::Mistake(mistake) => mistake.fmt(f),
            Self::Certificate { key, path, error } => {
                write!(f, "{key}: {}: {error}", path.display())
            }
            Self::SessionKeys { key, path, error } => {
                write!(f, "{key}: {}: {error}", path.display())
            }
            Self::Store { place, what } => write!(f, "session.store: {place}: {what}"),
            Self::Roots { key, path, error } => write!(f, "{key}: {}: {error}", path.display()),
        }
    }
}

impl Error for ConfigError {}
