//! Behaviour of sessions.
#![expect(clippy::unwrap_used, reason = "helpers outside of `#[test]` functions")]

mod model;
mod vectors;
mod world;
