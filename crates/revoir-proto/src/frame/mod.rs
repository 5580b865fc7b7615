//! Frames (RFC 6455 section 5): header, payload mask and Close payload.

mod close_frame;
mod decoder;
mod encoder;
mod header;
mod mask;
mod opcode;
mod whole_frame;

pub use close_frame::CloseFrame;
pub use header::{FrameHeader, MAX_HEADER_BYTES};
pub use mask::Mask;
pub use opcode::Opcode;

pub use decoder::{DecoderSnapshot, FrameSnapshot};

pub(crate) use decoder::{Chunk, Decoder, Piece};
pub(crate) use encoder::encode_frame;
pub(crate) use header::{CONTROL_MAX_BYTES, HeaderRules};
pub(crate) use whole_frame::WholeFrame;
