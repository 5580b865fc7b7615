//! The reference text: what every code means, in words, and how any two differ.
//!
//! Start with [`explain()`] and [`compare()`]; [`Locale`] picks the language, and [`search()`]
//! finds a code by name.

pub mod causes;
mod compare;
pub mod diagnosis;
mod explain;
mod fact_rows;
pub mod intermediaries;
#[cfg(feature = "serde")]
pub mod json;
pub mod locale;
pub mod observed;
mod phrasing;
mod search;
pub mod source;
pub mod terms;
pub mod text;
pub mod vendor;

pub use crate::generated::keys::{Labels, Phrases};
pub use compare::{Aspect, Comparison, Row, SameCode, compare, pairs};
pub use explain::{Explanation, Statement, explain};
pub use fact_rows::fact_rows;
pub use locale::{Locale, Review, ReviewMethod};
pub use search::{Found, search};
