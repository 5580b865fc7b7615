//! The suite against its own reference peer.

mod pipe;
mod reference;
mod selftest;
mod suite;
