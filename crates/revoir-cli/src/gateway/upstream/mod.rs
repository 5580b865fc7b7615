//! The backend as all connections see it: where it is, whether it accepts, and whose turn it is.

mod pacer;
mod target;
mod turns;

pub(crate) use pacer::{Pacer, Priority, Ticket};
pub(crate) use target::Target;
pub(crate) use turns::Upstream;
