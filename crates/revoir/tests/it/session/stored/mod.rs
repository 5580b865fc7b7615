//! Sessions that outlive their server, in a store that several servers have.

mod asked;
mod away;
mod nodes;
mod silent;
mod succession;
