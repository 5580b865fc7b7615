//! [`ConfigError`]: why a configuration cannot be used.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::reading::Wrong;

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
    /// The file of `route.tls.ca` cannot be read, or has no roots.
    Roots {
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
            Self::Wrong { .. } => {
                "docs/gateway.md lists what may stand there; docs/revoir.toml has every key"
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
            Self::Roots { path, error } => write!(f, "route.tls.ca: {}: {error}", path.display()),
        }
    }
}

impl Error for ConfigError {}
