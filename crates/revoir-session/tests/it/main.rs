//! Behaviour of sessions.
#![expect(clippy::unwrap_used, reason = "helpers outside of `#[test]` functions")]

mod last_words;
mod memory;
mod model;
mod overhead;
mod pair;
mod records;
mod store;
mod takeover;
mod vectors;
mod world;
