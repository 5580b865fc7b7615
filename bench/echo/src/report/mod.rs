//! From measurements to tables.

mod environment;
mod spread;
mod table;

pub use environment::Environment;
pub use spread::Spread;
pub use table::markdown;
