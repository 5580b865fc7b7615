//! [`Unrecognised`]: a line that says nothing here.

use alloc::string::String;
use alloc::vec::Vec;

/// A line of which nothing is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrecognised {
    /// The line.
    pub line: String,
    /// The messages on record that have most words in common with it, if any has.
    pub nearest: Vec<&'static str>,
}
