//! From measurements to tables.

mod environment;
mod table;

pub use environment::Environment;
pub use table::markdown;
