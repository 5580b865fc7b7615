//! From measurements to tables.

mod environment;
mod rounds;
mod spread;
mod table;

pub use environment::Environment;
pub use rounds::{Column, Rounds};
pub use spread::Spread;
pub use table::markdown;
