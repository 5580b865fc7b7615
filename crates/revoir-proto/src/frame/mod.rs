//! Frames (RFC 6455 section 5): header, payload mask and Close payload.

mod close_frame;
mod encoder;
mod header;
mod mask;
mod opcode;
mod open_frame;

pub use close_frame::CloseFrame;
pub use header::{FrameHeader, MAX_HEADER_BYTES};
pub use mask::Mask;
pub use opcode::Opcode;
pub use open_frame::FrameSnapshot;

pub(crate) use encoder::encode_frame;
pub(crate) use header::{CONTROL_MAX_BYTES, HeaderRules};
pub(crate) use open_frame::OpenFrame;
