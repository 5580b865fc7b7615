//! The messages of a session, byte by byte: `docs/session.md`, section 5.

mod control;
mod field;
mod hello;
mod kind;
mod number;
mod token;
mod violation;
mod welcome;
mod window;

pub use control::{BackendChanged, Bye, GapReason, GoAway, Origin};
pub use hello::{Hello, Resume};
pub use token::{TOKEN_MAX_BYTES, Token};
pub use violation::Violation;
pub use welcome::{Verdict, Welcome};
pub use window::Window;

pub(crate) use control::{
    Control, Received, TAKEN_OVER, VIOLATION, choice, is_announced, number_of, of_number, read,
};
pub(crate) use field::millis;
pub(crate) use kind::BINARY;
pub(crate) use number::{Reader, put_field, put_number, put_number_field};
