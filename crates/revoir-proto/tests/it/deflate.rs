//! permessage-deflate (RFC 7692).
#![cfg(feature = "deflate")]

mod export;
mod limits;
mod messages;
mod negotiation;
mod reference;
mod truncation;

use revoir_proto::extension::deflate::{Compressor, Decompressor, Direction, WindowBits};

const UNLIMITED: usize = usize::MAX;

fn direction(context_takeover: bool, bits: u8) -> Direction {
    Direction {
        context_takeover,
        max_window_bits: WindowBits::new(bits).unwrap(),
    }
}

fn compress(compressor: &mut Compressor, message: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    compressor.compress(message, &mut payload);
    payload
}

fn decompress(decompressor: &mut Decompressor, payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    decompressor
        .decompress(payload, true, UNLIMITED, &mut message)
        .unwrap();
    message
}

/// Bytes that do not compress, the same for the same seed.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// Bytes that compress about as well as text.
fn text(seed: u64, len: usize) -> Vec<u8> {
    let words = [
        "connection ",
        "closed ",
        "by ",
        "peer ",
        "restart ",
        "1012 ",
        "again ",
    ];
    let mut text = Vec::new();
    for byte in noise(seed, len) {
        text.extend_from_slice(words[usize::from(byte) % words.len()].as_bytes());
        if text.len() >= len {
            break;
        }
    }
    text.truncate(len);
    text
}
