//! Frames on their way out.

use crate::frame::header::SHORT_MAX_BYTES;
use crate::frame::{FrameHeader, Mask};

/// Appends a whole frame to `out`. A masked payload is masked while it is copied.
///
/// The length in the header is that of `payload`, whatever the field says.
#[inline]
pub(crate) fn encode_frame(mut header: FrameHeader, payload: &[u8], out: &mut Vec<u8>) {
    header.length = payload.len() as u64;
    if payload.len() <= SHORT_MAX_BYTES {
        return encode_short(header, payload, out);
    }
    let start = out.len();
    let (word, end) = header.to_word();
    out.reserve(size_of_val(&word) + payload.len());
    out.extend_from_slice(&word.to_le_bytes());
    out.truncate(start + end);
    match header.masking_key {
        None => out.extend_from_slice(payload),
        Some(key) => Mask::new(key).append(payload, out),
    }
}

/// [`encode_frame`] with the shortest header.
#[inline]
fn encode_short(header: FrameHeader, payload: &[u8], out: &mut Vec<u8>) {
    let Some(key) = header.masking_key else {
        out.reserve(2 + payload.len());
        out.extend_from_slice(&header.start(payload.len() as u8));
        out.extend_from_slice(payload);
        return;
    };
    out.reserve(6 + payload.len());
    let ([a, b], [c, d, e, f]) = (header.start(payload.len() as u8), key);
    out.extend_from_slice(&[a, b, c, d, e, f]);
    let start = out.len();
    out.extend_from_slice(payload);
    Mask::new(key).apply_short(&mut out[start..]);
}
