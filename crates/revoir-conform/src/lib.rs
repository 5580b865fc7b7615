//! A conformance suite for how WebSocket connections end.
//!
//! The suite plays one side of a connection on raw sockets, right or wrong on purpose, and judges what
//! the implementation on the other side does: on the wire, and by what an adapter says that its
//! application was told. A case is data (`cases/*.toml`) with its rule, what must and should hold, and
//! prose that a maintainer can argue with.
//!
//! [`Suite::load`] has the cases, [`play`] plays them against a [`Subject`], and an [`Outcome`] says
//! what came of each. Nothing here prints, reads arguments, or depends on the rest of revoir: it
//! judges any implementation.

mod adapter;
mod case;
mod certificate;
mod deflate;
mod expected;
mod frame;
mod head;
mod judge;
mod outcome;
mod play;
mod record;
pub mod report;
mod run;
mod subject;
mod subjects;
mod suite;
mod told;
mod wire;

pub use case::{Case, Role};
pub use certificate::Certificate;
pub use expected::Expected;
pub use head::accept_for;
pub use judge::Verdict;
pub use outcome::{Outcome, Report};
pub use record::{By, Entry};
pub use run::{Options, play, probe};
pub use subject::{Meeting, Subject};
pub use subjects::{ClientUnderTest, ServerUnderTest};
pub use suite::{Group, SLOW, Suite, VERSION};
pub use told::{Event, Told};
pub use wire::{BoxTransport, Tls, Transport};
