//! Frames on their way out.

use crate::frame::{FrameHeader, Mask};

/// Appends a whole frame to `out`. A masked payload is masked while it is copied.
///
/// The length in the header is that of `payload`, whatever the field says.
#[inline]
pub(crate) fn encode_frame(mut header: FrameHeader, payload: &[u8], out: &mut Vec<u8>) {
    header.length = payload.len() as u64;
    if let Some(start) = header.to_short() {
        out.reserve(start.len() + payload.len());
        out.extend_from_slice(&start);
        out.extend_from_slice(payload);
        return;
    }
    let (word, end) = header.to_word();
    out.reserve(size_of_val(&word) + payload.len());
    let start = out.len();
    // A copy of fixed length is two stores, one of `end` bytes a call.
    out.extend_from_slice(&word.to_le_bytes());
    out.truncate(start + end);
    match header.masking_key {
        None => out.extend_from_slice(payload),
        Some(key) => Mask::new(key).append(payload, out),
    }
}
