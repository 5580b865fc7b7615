//! From measurements to tables.

mod rounds;
mod spread;
mod table;

pub use rounds::{Column, Rounds};
pub use spread::Spread;
pub use table::markdown;
