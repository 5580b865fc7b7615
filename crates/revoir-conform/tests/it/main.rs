//! The suite against its own reference peer.

mod pipe;
mod reference;
mod returning;
mod selftest;
mod suite;
