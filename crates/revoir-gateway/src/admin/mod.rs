//! The admin interface: how a gateway is asked and steered while it runs.
//!
//! It has listeners of its own, apart from where clients connect. [`Admin::serve`] is for the
//! operator of this machine, on a Unix socket or the loopback interface, and answers no page in a
//! browser; [`Admin::serve_metrics`] tells and takes nothing, for whoever scrapes and probes from
//! elsewhere.

mod api;
mod guard;
mod listener;
mod probes;
mod request;
mod serve;
mod state;
mod wire;

pub use guard::HEADER;
pub use listener::AdminListener;
pub use request::{OperatorRequest, OperatorRequests, ReloadRequest};
pub use state::Admin;
pub use wire::{
    ConnectionLine, DrainAs, DrainLine, EndWith, EndingLine, Problem, ReloadLine, SessionLine,
    StatusLine,
};
