#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(feature = "catalog")]
extern crate alloc;

pub mod advice;
#[cfg(feature = "catalog")]
pub mod catalog;
mod code;
pub mod facts;
mod generated;
mod range;
mod reason;
mod retry;
mod send;
mod slot;

pub use advice::{Advice, Direction, advice};
pub use code::CloseCode;
pub use range::CodeRange;
pub use reason::{REASON_MAX_BYTES, Reason, ReasonTooLong};
pub use send::{NotSendable, SendCode};
pub use slot::{InvalidSlot, Slot};
