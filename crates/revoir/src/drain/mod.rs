//! Draining: closing all connections of a server properly, and spreading their return over time.

mod drainable;
mod farewell;
mod plan;
mod registry;
mod report;
mod run;
mod schedule;
mod slots;
mod tracker;

pub use plan::Drain;
pub use report::DrainReport;
pub use schedule::Schedule;
pub use tracker::Tracker;

pub(crate) use drainable::Drainable;
pub(crate) use farewell::Farewell;
pub(crate) use registry::{NOWHERE, NoPlace, Places, Seat};
pub(crate) use slots::{uniform, whole_seconds};
