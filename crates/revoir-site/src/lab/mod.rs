//! The lab: real connections to this server that end in every way there is.
//!
//! A [`Way`] names an ending and says what a browser will tell of it. The page that shows it opens a
//! connection to `/lab/end/{way}?token=…` ([`end`]), where the server, or the [`Wire`](wire) between
//! the two, ends it so. Afterwards the page asks `/lab/endings/{token}` for the server's own `Ending`
//! ([`endings`]), and `/lab/decision` for what a client does next ([`decision`]).
//!
//! The first page has one connection that lasts: through the gateway at `/lab/live` to a [backend](backend),
//! with buttons for what may happen to it ([`live`]).
//!
//! Nothing here reaches another host: a way is a word of a fixed list. How often it is asked for is
//! limited ([`pace`]), and so are the connections, their number, length and messages.

mod backend;
mod decision;
mod end;
mod endings;
mod live;
mod pace;
mod raw_stream;
mod shared;
mod way;
mod wire;

use axum::Router;
use axum::routing::{any, get, post};

pub use raw_stream::{RawStream, TakeOver};
pub use shared::{Clients, Lab};
pub(crate) use way::{Sight, Way};

/// The routes under `/lab`.
pub(crate) fn router(lab: Lab) -> Router {
    Router::new()
        .route("/end/{way}", any(end::end))
        .route("/endings/{token}", get(endings::ending))
        .route("/decision", get(decision::decision))
        .route("/do/{act}", post(live::act))
        .with_state(lab)
}
