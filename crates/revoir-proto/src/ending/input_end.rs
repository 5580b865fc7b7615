//! [`InputEnd`]: the end of the transport.

use crate::ending::{Cause, Detail};

/// How the transport ended. It takes effect behind the input that came before it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputEnd {
    /// The peer's stream ended.
    Eof,
    /// The transport broke.
    Lost {
        /// What to call it if the connection was open.
        cause: Cause,
        /// What the driver knows.
        detail: Detail,
    },
}
