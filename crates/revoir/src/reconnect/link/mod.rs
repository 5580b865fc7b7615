//! [`Link`]: a connection that comes back.
//!
//! A task owns the connection. Events go to the [`Link`], messages come from any [`LinkSender`]
//! through the outbox, which knows what became of each.

mod builder;
mod dialer;
mod event;
mod handle;
mod outbox;
mod shared;
mod task;
mod while_down;

pub use builder::LinkBuilder;
pub use event::{LinkEnd, LinkEvent, NotSent, Up};
pub use handle::{Link, LinkSender};
pub use while_down::WhileDown;
