//! One client behind the gateway, and the backend that it has or waits for. Pure: bytes, time and
//! surroundings come in; what is forwarded goes straight to a transport that is passed in.

mod hold;
mod input;
mod stage;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use hold::{Hold, Previous};
pub use state::{Ended, Side};
pub(crate) use state::{Moment, Nowhere, Outlook, Session};
