//! [`PathId`]: which path a handshake asks for.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The path of an opening handshake, without its query. Only ever compared: it takes no memory of a
/// client's choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PathId(u64);

impl PathId {
    pub(crate) fn of(path: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        path.hash(&mut hasher);
        Self(hasher.finish())
    }
}
