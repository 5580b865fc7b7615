//! Frames on their way out.

use crate::frame::header::{long_header, usual_word};
use crate::frame::{FrameHeader, Mask};

/// Appends a whole frame to `out`. A masked payload is masked while it is copied.
///
/// The length in the header is that of `payload`, whatever the field says.
#[inline]
pub(crate) fn encode_frame(header: FrameHeader, payload: &[u8], out: &mut Vec<u8>) {
    match header.masking_key {
        None => encode_plain(header.first(), payload, out),
        Some(key) => encode_masked(header.first(), key, payload, out),
    }
}

fn encode_plain(first: u8, payload: &[u8], out: &mut Vec<u8>) {
    if payload.len() <= 125 {
        out.reserve(2 + payload.len());
        out.extend_from_slice(&[first, payload.len() as u8]);
    } else {
        push_header(first, None, payload.len(), out);
    }
    out.extend_from_slice(payload);
}

fn encode_masked(first: u8, key: [u8; 4], payload: &[u8], out: &mut Vec<u8>) {
    push_header(first, Some(key), payload.len(), out);
    Mask::new(key).append(payload, out);
}

/// Appends a header, and makes room for the payload.
#[inline]
fn push_header(first: u8, key: Option<[u8; 4]>, length: usize, out: &mut Vec<u8>) {
    let Ok(length) = u16::try_from(length) else {
        return push_long_header(first, key, length, out);
    };
    let (word, end) = usual_word(first, key, length);
    out.reserve(size_of_val(&word) + usize::from(length));
    let start = out.len();
    // A copy of fixed length is one store, one of `end` bytes a call.
    out.extend_from_slice(&word.to_le_bytes());
    out.truncate(start + end);
}

#[cold]
fn push_long_header(first: u8, key: Option<[u8; 4]>, length: usize, out: &mut Vec<u8>) {
    let (wire, end) = long_header(first, key, length as u64);
    out.reserve(end + length);
    out.extend_from_slice(&wire[..end]);
}
