//! Sessions in virtual time, without sockets.

mod closing;
mod holding;
mod keeping_alive;
mod rig;
mod tunnel;
mod watching;
