//! One client, and the backend that it has or waits for, as a value: bytes, time and surroundings
//! come in; what is forwarded goes straight to a transport that is passed in.
//!
//! Frames are found, not taken apart. Bytes of each direction go through a [`Lane`], which knows
//! where frames and messages end and hands out what may go on; whatever the transport does not take
//! at once waits in an [`Outgoing`]. Payloads are not unmasked, not validated, and not copied unless
//! they have to wait. A [`Hop`](hop::Hop) keeps one side alive, and [`verdict`] says what follows
//! when the backend is gone.

mod budgets;
mod chunks;
mod ended_by;
mod farewell;
mod frame;
mod gate;
mod hold;
mod hop;
mod input;
mod lane;
mod missing;
mod moving;
mod outgoing;
mod scanner;
mod search;
mod silence;
mod silent;
mod stage;
mod state;
#[cfg(test)]
mod tests;
mod verdict;
mod watched;
mod watching;

pub(crate) use ended_by::EndedBy;
#[cfg(test)]
pub(crate) use frame::whole_frame;
pub(crate) use gate::LONGEST_RETURN;
pub(crate) use hold::{Previous, Seeking};
pub(crate) use hop::earlier;
pub(crate) use missing::Missing;
pub(crate) use outgoing::Accept;
pub use state::{Ended, Side};
pub(crate) use state::{Moment, Outlook, Relay};
pub(crate) use verdict::is_there;
pub use verdict::{Goodbye, HoldCause, RedialFailure};
