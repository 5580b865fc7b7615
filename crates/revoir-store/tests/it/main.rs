//! What holds for every store.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod asking;
mod conformance;
mod disk;
mod loss;
mod owned;
mod owners;
#[cfg(feature = "redis")]
mod redis;
