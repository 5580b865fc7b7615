//! The lab: real connections to this server that end in every way there is.
//!
//! A [`Way`] names an ending and says what a browser will tell of it. The page that shows it opens a
//! connection to `/lab/end/{way}?token=…` ([`routes::end`]), where the server, or the [`Wire`](wire) between
//! the two, ends it so. Afterwards the page asks `/lab/endings/{token}` for the server's own `Ending`
//! ([`routes::ending`]), and `/lab/decision` for what a client does next ([`routes::decision`]).
//!
//! The first page has one connection that lasts: through the gateway at `/lab/live` to a [backend](backend),
//! with buttons for what may happen to it ([`routes::act`]).
//!
//! Nothing here reaches another host: a way is a word of a fixed list. How often it is asked for is
//! limited ([`pace`]), and so are the connections, their number, length and messages.

mod backend;
mod endings;
mod pace;
mod raw_stream;
mod routes;
mod shared;
mod sight;
mod token;
mod way;
mod wire;

pub use raw_stream::{RawStream, TakeOver};
pub(crate) use routes::router;
pub use shared::{Clients, Lab};
pub(crate) use sight::Engine;
pub(crate) use way::Way;
