//! What the programs that try revoir against others have in common: a browser, `revoir serve` as a
//! process, and how a program ends.

mod chromium;
mod program;
mod serve;

pub use chromium::{Chromium, Event, Tab};
pub use program::{exit_code, report};
pub use serve::Serve;
