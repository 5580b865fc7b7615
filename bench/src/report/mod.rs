//! From single runs to the table.

mod callgrind;
mod environment;
mod plan;
mod table;

pub use callgrind::{Counts, Measured, Tool};
pub use environment::Environment;
pub use plan::plan;
pub use table::markdown;
