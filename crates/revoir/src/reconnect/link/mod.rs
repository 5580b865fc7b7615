//! [`Link`]: a connection that comes back.
//!
//! A task owns the connection. Events go to the [`Link`], messages come from any [`LinkSender`]
//! through the outbox, which knows what became of each.

mod builder;
mod dialer;
mod event;
pub(crate) mod handle;
mod outbox;
mod pace;
mod queue;
mod receipt;
mod request;
mod shared;
mod talk;
mod task;
mod while_down;

pub use builder::LinkBuilder;
pub use event::{LinkEnd, LinkEvent, NotSent, Unsent, Up};
pub use handle::LinkSender;

pub use receipt::{NotWritten, Receipt};
pub use request::{Attempt, LinkRequest};
pub use while_down::WhileDown;
