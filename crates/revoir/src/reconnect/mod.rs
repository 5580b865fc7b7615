//! Coming back: [`Policy`] decides from an [`Ending`](crate::Ending) whether and when, and [`Link`](crate::Link)
//! does it.
//!
//! RFC 6455 leaves what follows an ending to the application, so all of this is advice, the same
//! as [`revoir_codes::advice()`] gives; [`Policy`] reads its table from there and adds what a code
//! alone does not say: HTTP statuses, failures before the connection opened, and what the server
//! asked for.
//!
//! Outside `link`, nothing reads a clock or draws a random number. Both are passed in, so that a decision can
//! be repeated, simulated with virtual time, and tested in another language against the vectors in
//! `testdata/policy/`.

mod decision;
mod history;
#[cfg(feature = "serde")]
mod json;
pub(crate) mod link;
pub(crate) mod policy;
mod profile;
mod requested;
mod rule;
mod status;
mod subject;
mod table;
mod verdict;

pub use crate::entropy::Entropy;
pub use decision::{Class, Decision, Stop};
pub use history::History;
pub use link::{
    Attempt, LinkBuilder, LinkEnd, LinkEvent, LinkRequest, LinkSender, NotSent, NotWritten,
    Receipt, Unsent, Up, WhileDown,
};
pub use profile::Profile;
pub use revoir_codes::advice::{DelayClass, DelayRange};
pub use revoir_proto::Random;
pub use rule::Rule;

pub(crate) use policy::Policy;

/// No attempt comes sooner, whoever asks for it.
const SHORTEST_MS: u32 = 250;
