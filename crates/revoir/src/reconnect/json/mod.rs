//! Decisions and policies for `serde` (feature `serde`).

mod decision;
mod policy;
