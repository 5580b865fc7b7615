//! [`Role`]: which end of a connection is ours.

use std::fmt;

use serde::Deserialize;

/// Our role; the suite plays the other.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    Client,
    Server,
}

pub(super) const ROLES: [Role; 2] = [Role::Server, Role::Client];

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}
