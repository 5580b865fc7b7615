//! [`Permissions`]: who may use a Unix socket.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The permissions of a Unix socket, as chmod has them: `0660` lets a group in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions(pub u32);

impl Default for Permissions {
    fn default() -> Self {
        Self(0o600)
    }
}

impl FromStr for Permissions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let permissions = u32::from_str_radix(text, 8).ok();
        let permissions = permissions.filter(|it| *it <= 0o777 && !text.starts_with('+'));
        permissions
            .map(Self)
            .ok_or_else(|| format!("{text:?}: expected octal digits, such as \"0660\""))
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:04o}", self.0))
    }
}
