//! Where the sessions of a server are kept beyond its process.
//!
//! A [`Store`] has a record for each session: what a successor needs to go on with it after its owner was lost. It
//! does not know what is in a record, which is a `Snapshot` of [`revoir_session`] with a schema version of its own; it knows
//! the *generation* that each was written at, by which writes are fenced: who does not know the one that is there
//! writes nothing.
//!
//! | store | is for | survives |
//! |---|---|---|
//! | [`Memory`] | tests, and several servers in one process | the loss of a server |
//! | `Disk` (feature `disk`) | one machine with nothing to install | restart and SIGKILL of the process |
//! | `Redis` (feature `redis`) | several servers | the loss of any of them |
//!
//! [`Owned`] is what the owner of one session knows of its place there: what to write, and what may be said because the store
//! has it.
//!
//! One suite of tests holds for all of them: `tests/it/conformance.rs`.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod asking;
#[cfg(feature = "disk")]
mod disk;
mod memory;
mod owned;
#[cfg(feature = "redis")]
mod redis;
mod store;
mod waiting;

#[cfg(feature = "redis")]
pub use self::redis::Redis;
#[cfg(feature = "disk")]
pub use disk::Disk;
pub use memory::Memory;
pub use owned::{Durable, Mark, Owned};
pub use store::{Answer, Store, StoreError, Stored, Take, Write, Written};
