//! permessage-deflate (RFC 7692): negotiation, compression and decompression of messages.

mod compressor;
mod config;
mod decompressor;
mod error;
mod history;
mod inflater;
mod negotiation;
mod pool;

pub use compressor::{Compressor, CompressorState};
pub use config::{Agreed, DeflateConfig, Direction, InvalidWindowBits, WindowBits};
pub use decompressor::{Decompressor, DecompressorState};
pub use error::{DeflateError, InflateError};

/// The name of the extension in Sec-WebSocket-Extensions (RFC 7692 section 7).
pub const PERMESSAGE_DEFLATE: &str = "permessage-deflate";

/// What a sender strips from the end of a message, and a receiver puts back: the last four octets
/// of an empty stored block (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];
