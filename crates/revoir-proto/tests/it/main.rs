//! Behaviour of the core, as sentences. Most of them hold for both roles and run once per role.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[macro_use]
mod support;

mod back_pressure;
mod closing;
#[cfg(feature = "deflate")]
mod compression;
#[cfg(test)]
mod deflate;
mod failing;
mod fragmentation;
#[cfg(test)]
mod handshake;
mod keepalive;
mod limits;
mod masking;
mod output;
mod pair;
mod pongs;
mod probe;
mod properties;
mod snapshot;
mod split_input;
mod tcp_order;
mod transport_end;
mod utf8;
mod wire_codes;
