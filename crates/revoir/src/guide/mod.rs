//! A page for each task. These modules are empty: they are there to be read.

#[doc = include_str!("client.md")]
pub mod client {}

#[doc = include_str!("server.md")]
pub mod server {}

#[doc = include_str!("axum.md")]
pub mod axum {}

#[doc = include_str!("coming_back.md")]
pub mod coming_back {}

#[doc = include_str!("draining.md")]
pub mod draining {}

#[doc = include_str!("endings.md")]
pub mod endings {}

#[doc = include_str!("testing.md")]
pub mod testing {}
