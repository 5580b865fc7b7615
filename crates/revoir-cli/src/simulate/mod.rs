//! Reconnect storms before they happen: many clients lose one server, in virtual time.
//!
//! [`Storm`] says what happens, a [`Comeback`] says when a client tries again (ours through the
//! library's own policy, others by their documented formulas), and [`StormOutcome`] is what the server
//! saw.
//!
//! The model is small on purpose: an attempt takes no time, a refused one costs nothing, and there
//! is one server. It shows how attempts spread; it does not predict latencies.

mod agenda;
mod chart;
mod comeback;
mod formula;
mod outcome;
mod storm;

pub(crate) use chart::chart;
pub(crate) use comeback::Ours;
pub(crate) use formula::{FORMULAS, Formula};
pub(crate) use outcome::StormOutcome;
pub(crate) use storm::{Loss, Overload, Storm};
