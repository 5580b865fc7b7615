//! Behaviour of the client and the server, over memory with paused time, TCP and TLS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cancel_safety;
mod causes;
mod client_certificates;
mod delays;
mod drain;
mod driving;
mod durations;
mod endings_page;
mod faults;
mod front_door;
mod handles;
mod handshake_wires;
mod link;
mod losses;
mod matrix;
mod never_opened;
mod policy;
mod policy_vectors;
mod proxy;
mod reads;
mod serve;
mod session;
mod support;
mod threads;
#[cfg(feature = "axum")]
mod upgrade;
mod wires;
