//! The pages, and the router that serves them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod lab;
mod markup;
mod pages;
mod schema;
mod searching;
mod served;
mod support;
