//! The side that clients see: HTTP requests, and those among them that become WebSockets.

mod announced;
mod arrival;
mod arrived;
mod auth_hook;
mod beginning;
mod certificates;
mod client_cert;
mod exchange;
mod forwarded_for;
#[cfg(fuzzing)]
pub mod fuzzed;
mod granted;
mod handshake;
mod head;
mod headers;
mod lent_body;
mod listener;
mod path;
mod patience;
mod plain;
mod progress;
mod refusal;
mod request_id;
mod route;
mod service;
mod session;
mod session_start;
mod settings;
mod source;
mod state;
mod tapped_body;
mod waiting;

pub use announced::ProxyProtocol;
pub use arrival::taken_over;
pub use auth_hook::AuthSettings;
pub(crate) use certificates::ByName;

pub(crate) use headers::{may_be_granted, without_port};
pub(crate) use listener::serve;
pub(crate) use path::normal_form;
pub(crate) use route::{Changed, Replaced};
pub use route::{Destination, RouteSettings};
pub use service::LocalService;
pub use settings::{HttpTimes, Settings};
pub(crate) use state::Front;
