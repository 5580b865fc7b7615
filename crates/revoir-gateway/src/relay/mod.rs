//! One direction of a relayed connection: frames are found, not taken apart.
//!
//! Bytes go through a [`Lane`], which knows where frames and messages end and hands out what may
//! go on; whatever the transport does not take at once waits in an [`Outgoing`]. Payloads are not
//! unmasked, not validated, and not copied unless they have to wait.

mod lane;
mod outgoing;
mod scanner;

pub(crate) use lane::{Lane, LaneRules, Step, Unit};
pub(crate) use outgoing::{Accept, Outgoing};
pub(crate) use scanner::{Control, ScanRules};
