//! What the programs that try revoir against others have in common: browsers, `revoir serve` as a
//! process, and how a program ends.

mod chromium;
mod firefox;
mod program;
mod said;
mod serve;

pub use chromium::{Chromium, Event, Tab};
pub use firefox::Firefox;
pub use program::{exit_code, report};
pub use serve::Serve;
