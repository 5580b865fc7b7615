//! Looking at an endpoint step by step, to see why connections to it end.
//!
//! [`look`] goes from the name to the closing handshake and [`hold`] stays on two connections. Both
//! write every step into a [`Log`] and what it saw into [`Seen`]; what that means is for
//! [`Seen::evidence`] to put into the engine's words. Nothing is judged here.
//!
//! It opens ten connections at most, one after the other, and no step takes longer than the limit of
//! steps: an endpoint in trouble is not to be troubled more.

mod browser_page;
pub(crate) mod capture;
mod conversation;
mod evidence;
mod fragments;
mod goodbye;
mod held;
mod hold;
mod log;
mod look;
mod name;
mod opening;
mod pings;
mod plan;
mod secrets;
mod seen;
mod sizes;
mod step;
mod stream;
mod tcp;
mod tls;
mod trust;

pub(crate) use hold::hold;
pub(crate) use log::{Log, Progress};
pub(crate) use look::look;
pub(crate) use plan::{LookPlan, Place};
pub(crate) use secrets::Secrets;
pub(crate) use seen::Seen;
pub(crate) use step::{Outcome, Step, StepId};
pub(crate) use trust::Trust;
