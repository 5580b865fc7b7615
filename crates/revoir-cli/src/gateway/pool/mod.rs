//! The backend as all connections of a route see it: where it is, whether it accepts, and whose
//! turn it is.

mod pacer;
mod settings;
mod target;
mod turns;
mod upstream;

pub(crate) use pacer::{Pacer, Priority, Ticket};
pub(crate) use settings::PoolSettings;
pub(crate) use target::Target;
pub(crate) use turns::Pool;
pub(crate) use upstream::Seat;
