//! The backend as all connections of a route see it: where it is, whether it accepts, and whose
//! turn it is.

mod check;
mod health;
mod pacer;
mod settings;
mod target;
mod turns;
mod upstream;

pub use check::Check;
pub use health::Thresholds;
pub(crate) use pacer::{Pacer, Priority, Ticket};
pub use settings::{PoolSettings, Trust};
pub use target::{InvalidTarget, Target};
pub(crate) use turns::{Pool, Turn};
pub(crate) use upstream::Seat;
