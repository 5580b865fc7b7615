//! Sessions in virtual time, without sockets.

mod closing;
mod holding;
mod keeping_alive;
mod rig;
mod silence;
mod tunnel;
mod watching;
