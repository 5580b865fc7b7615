//! [`Missing`]: what is missing until a client that was held is back.

use std::time::Duration;

/// What is missing until a client is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It has no backend, or its hello has to be said again there.
    Hello,
    /// Its program was told of the new backend, and may say what that one has to know.
    Turn,
}

/// The turn of a program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// It is over then, whatever the program says.
    pub(super) until: Duration,
    /// The ping that the backend is to answer: it has read everything before that.
    pub(super) asked: Option<[u8; 4]>,
}
