//! Messages that end inside a block, against a second inflater that only looks at blocks.

use revoir_proto::extension::deflate::{Compressor, Decompressor, InflateError};

use super::{UNLIMITED, compress, direction, reference, text};

fn received(context_takeover: bool, pieces: &[&[u8]]) -> Result<Vec<u8>, InflateError> {
    let mut receiver = Decompressor::new(direction(context_takeover, 15));
    let mut message = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let fin = at + 1 == pieces.len();
        receiver.decompress(piece, fin, UNLIMITED, &mut message)?;
    }
    Ok(message)
}

/// Asserts that `payload` is a message exactly if the reference says so.
fn agree(payload: &[u8]) {
    let expected = reference::inflate(payload, &[]).map(|(plain, _)| plain);
    let bytes: Vec<&[u8]> = payload.chunks(1).collect();
    for context_takeover in [false, true] {
        for pieces in [&[payload][..], &bytes] {
            let plain = received(context_takeover, pieces);
            assert_eq!(plain.ok(), expected, "{payload:x?} {context_takeover}");
        }
    }
}

#[test]
fn messages_of_up_to_two_bytes_are_those_of_the_reference() {
    for first in 0..=u8::MAX {
        agree(&[first]);
        for second in 0..=u8::MAX {
            agree(&[first, second]);
        }
    }
}

#[test]
fn a_dynamic_block_that_is_cut_anywhere_is_truncated() {
    let whole = compress(
        &mut Compressor::new(direction(false, 15), 6),
        &text(1, 3000),
    );
    assert_eq!(whole[0] >> 1 & 3, 2, "a block with dynamic codes");
    for is_final in [0, 1] {
        let mut payload = whole.clone();
        payload[0] |= is_final;
        for end in 1..payload.len() - 1 {
            agree(&payload[..end]);
            for context_takeover in [false, true] {
                let result = received(context_takeover, &[&payload[..end]]);
                assert_eq!(result, Err(InflateError::Truncated), "{end}");
            }
        }
    }
}

#[test]
fn a_block_that_takes_the_tail_for_its_middle_is_truncated() {
    // "h" without the end of its block; a final block without its end; a dynamic block that ends
    // inside its code lengths, which an empty block would still fit.
    for payload in [&[0xca, 0x00][..], &[0x03], &[0x64, 0x63, 0x00, 0x00]] {
        let bytes: Vec<&[u8]> = payload.chunks(1).collect();
        for pieces in [&[payload][..], &bytes] {
            for context_takeover in [false, true] {
                let result = received(context_takeover, pieces);
                assert_eq!(result, Err(InflateError::Truncated), "{payload:x?}");
            }
        }
    }
}
