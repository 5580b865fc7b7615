//! [`advice`]: what to do after an ending. This is the table that the reconnecting client uses.
//!
//! RFC 6455 section 7.4 leaves the action that follows a code undefined, so everything here is
//! advice. What comes nearest to a rule: RFC 6455 section 7.2.3 (a random first delay, then growing
//! ones), and the registrations of 1012 (a random 5-30 s) and 1013 (another address, or a user's
//! action).

use crate::code::CloseCode;
use crate::facts::Facts;

pub use crate::retry::{Advice, Basis, DelayClass, DelayRange, Retry};

/// Who ended the connection, and so who reads the advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The ending came from the server, or happened at the client: the client reads it.
    AtClient,
    /// The ending came from the client, or happened at the server: the server reads it.
    AtServer,
}

/// What to do after an ending with `code`, seen at the end that `direction` names.
///
/// Any number has an answer: an unregistered one that of its range.
#[must_use]
pub fn advice(code: CloseCode, direction: Direction) -> Advice {
    let facts = Facts::of(code);
    match direction {
        Direction::AtClient => facts.client_advice,
        Direction::AtServer => facts.server_advice,
    }
}
