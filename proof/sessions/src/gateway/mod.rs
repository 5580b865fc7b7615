//! The gateway: what sessions cost it, beside clients without one.

mod away;
mod backend;
mod messages;

pub(crate) use away::{run as away, wait_on};
pub(crate) use backend::run as backend;
pub(crate) use messages::run as messages;
