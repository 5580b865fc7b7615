//! What is seen of requests and connections: an [`Observer`] is told, [`Operations`] counts and logs.

mod access_log;
mod exchange;
mod handle;
mod json_line;
pub(crate) mod metrics;
mod observer;
mod operations;
mod overview;
mod request;
mod traffic;

pub use access_log::{AccessLog, Format, Json, Lines};
pub use exchange::Exchange;
pub(crate) use handle::Going;
pub use handle::{Handle, Record};
pub(crate) use handle::{Order, Told};
pub use json_line::line;
pub use observer::{AuthFailure, Limit, Observer, Unobserved};
pub use operations::{Logs, Operations};
pub(crate) use overview::merged;
pub use overview::{Overview, RouteState, SessionsState};
pub use request::LoggedRequest;
pub use traffic::{Sum, Traffic};
