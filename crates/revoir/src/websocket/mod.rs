//! [`WebSocket`] and its halves.

mod closed;
mod closer;
mod draining;
mod handle;
mod reader;
mod writer;

pub use closed::Closed;
pub use closer::Closer;
pub use draining::Draining;
pub use handle::WebSocket;
pub use reader::Reader;
pub use writer::Writer;
