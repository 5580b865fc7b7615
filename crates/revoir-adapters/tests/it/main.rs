//! Adapters as a relay runs them.
#![expect(clippy::unwrap_used, reason = "helpers outside of `#[test]` functions")]

mod action_cable;
mod action_cable_model;
mod applications;
mod byte_stream;
mod graphql;
mod graphql_model;
mod hostile;
mod mqtt;
mod recorded;
mod relay;
mod socket_io;
mod socket_io_model;
mod stomp;
mod stomp_model;
mod transparent_model;
