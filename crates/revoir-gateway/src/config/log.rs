//! [`LogLevel`] and [`LogFormat`]: what of the error log is written, and how.

use serde::{Deserialize, Serialize};

/// From which level on something is written to stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What keeps clients out.
    Error,
    /// What an operator should look at.
    #[default]
    Warn,
    /// What changes.
    Info,
    /// What happens to single connections.
    Debug,
}

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}
