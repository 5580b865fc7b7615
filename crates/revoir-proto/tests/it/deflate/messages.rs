use proptest::collection::vec;
use proptest::prelude::*;
use revoir_proto::extension::deflate::{Compressor, Decompressor, Direction, InflateError};

use super::{UNLIMITED, compress, decompress, direction, noise, reference, text};

fn receiver() -> Decompressor {
    Decompressor::new(Direction::default())
}

#[test]
fn example_of_rfc_7692_section_7_2_3_1_one_block_is_hello() {
    let payload = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(decompress(&mut receiver(), &payload), b"Hello");
    let (first, second) = payload.split_at(3);
    let mut receiver = receiver();
    let mut message = Vec::new();
    for (fragment, fin) in [(first, false), (second, true)] {
        receiver.decompress(fragment, fin, 5, &mut message).unwrap();
    }
    assert_eq!(message, b"Hello");
}

#[test]
fn example_of_rfc_7692_section_7_2_3_2_second_hello_refers_to_the_first() {
    let mut receiver = receiver();
    let first = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(decompress(&mut receiver, &first), b"Hello");
    let second = [0xf2, 0x00, 0x11, 0x00, 0x00];
    assert_eq!(decompress(&mut receiver, &second), b"Hello");
}

#[test]
fn compressor_writes_the_examples_of_rfc_7692_section_7_2_3_2() {
    let mut sender = Compressor::new(direction(true, 15), 9);
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(compress(&mut sender, b"Hello"), hello);
    assert_eq!(
        compress(&mut sender, b"Hello"),
        [0xf2, 0x00, 0x11, 0x00, 0x00]
    );
    let mut forgetful = Compressor::new(direction(false, 15), 9);
    assert_eq!(compress(&mut forgetful, b"Hello"), hello);
    assert_eq!(compress(&mut forgetful, b"Hello"), hello);
}

#[test]
fn example_of_rfc_7692_section_7_2_3_3_stored_block_is_hello() {
    let payload = [
        0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
    ];
    assert_eq!(decompress(&mut receiver(), &payload), b"Hello");
}

#[test]
fn example_of_rfc_7692_section_7_2_3_4_final_block_does_not_end_the_stream() {
    let payload = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    let mut receiver = receiver();
    assert_eq!(decompress(&mut receiver, &payload), b"Hello");
    assert_eq!(decompress(&mut receiver, &payload), b"Hello");
    // The window is kept over a final block.
    let reference = [0xf2, 0x00, 0x11, 0x00, 0x00];
    assert_eq!(decompress(&mut receiver, &reference), b"Hello");
}

#[test]
fn example_of_rfc_7692_section_7_2_3_5_two_blocks_are_one_message() {
    let payload = [
        0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
    ];
    assert_eq!(decompress(&mut receiver(), &payload), b"Hello");
}

#[test]
fn example_of_rfc_7692_section_7_2_3_6_empty_message_is_one_octet() {
    let mut sender = Compressor::new(direction(true, 15), 6);
    assert_eq!(compress(&mut sender, b""), [0x00]);
    assert_eq!(decompress(&mut receiver(), &[0x00]), b"");
}

#[test]
fn empty_messages_between_others_keep_the_context() {
    let mut sender = Compressor::new(direction(true, 15), 6);
    let mut receiver = receiver();
    for message in [b"Hello" as &[u8], b"", b"Hello", b"", b"", b"Hello Hello"] {
        let payload = compress(&mut sender, message);
        assert_eq!(decompress(&mut receiver, &payload), message);
    }
    assert_eq!(decompress(&mut receiver, &[]), b"", "no octet at all");
    let payload = compress(&mut sender, b"Hello");
    assert_eq!(decompress(&mut receiver, &payload), b"Hello");
}

#[test]
fn final_blocks_anywhere_in_a_message_keep_its_context() {
    // "Hello" as a final block, the same by reference as a final block, and by reference again.
    let payload = [
        0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0xf3, 0x00, 0x11, 0x00, 0xf2, 0x00, 0x11, 0x00,
        0x00,
    ];
    for context_takeover in [true, false] {
        for split in 0..=payload.len() {
            let mut receiver = Decompressor::new(direction(context_takeover, 15));
            for _ in 0..2 {
                let (first, second) = payload.split_at(split);
                let mut message = Vec::new();
                for (part, fin) in [(first, false), (second, true)] {
                    receiver.decompress(part, fin, 15, &mut message).unwrap();
                }
                assert_eq!(message, b"HelloHelloHello", "split at {split}");
            }
        }
    }
}

#[test]
fn message_that_stops_right_after_a_final_block_is_accepted() {
    let mut receiver = receiver();
    let payload = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(decompress(&mut receiver, &payload), b"Hello");
    let reference = [0xf2, 0x00, 0x11, 0x00, 0x00];
    assert_eq!(decompress(&mut receiver, &reference), b"Hello");
}

#[test]
fn without_context_takeover_a_reference_to_the_message_before_is_corrupt() {
    let mut receiver = Decompressor::new(direction(false, 15));
    let first = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(decompress(&mut receiver, &first), b"Hello");
    let mut out = Vec::new();
    let second = [0xf2, 0x00, 0x11, 0x00, 0x00];
    let result = receiver.decompress(&second, true, UNLIMITED, &mut out);
    assert_eq!(result, Err(InflateError::Corrupt));
    let again = receiver.decompress(&first, true, UNLIMITED, &mut out);
    assert_eq!(again, Err(InflateError::Corrupt), "errors stay");
}

#[test]
fn compressor_never_reaches_beyond_its_window() {
    let message = [text(3, 40_000), noise(4, 1000), text(3, 40_000)].concat();
    for bits in 9..=15 {
        for level in [0, 1, 2, 4, 6, 9] {
            let mut sender = Compressor::new(direction(true, bits), level);
            let mut history = Vec::new();
            for part in message.chunks(37_000) {
                let payload = compress(&mut sender, part);
                let (plain, farthest) = reference::inflate(&payload, &history).unwrap();
                assert!(plain == part, "bits {bits} level {level}");
                assert!(
                    farthest <= 1 << bits,
                    "bits {bits} level {level}: {farthest}"
                );
                history.extend_from_slice(part);
            }
        }
    }
}

#[test]
fn state_of_zlib_is_held_only_where_context_is_taken_over() {
    for context_takeover in [true, false] {
        let mut sender = Compressor::new(direction(context_takeover, 15), 6);
        let mut receiver = Decompressor::new(direction(context_takeover, 15));
        assert!(!sender.is_allocated() && !receiver.is_allocated());
        let payload = compress(&mut sender, b"Hello");
        decompress(&mut receiver, &payload);
        assert_eq!(sender.is_allocated(), context_takeover);
        assert_eq!(receiver.is_allocated(), context_takeover);
    }
}

#[test]
fn released_compressor_goes_on_with_or_without_its_history() {
    for keep in [false, true] {
        let mut sender = Compressor::new(direction(true, 12), 6);
        if keep {
            sender = sender.with_history();
        }
        let mut receiver = receiver();
        for seed in 0..20 {
            let message = text(seed / 2, 2000);
            let payload = compress(&mut sender, &message);
            assert_eq!(decompress(&mut receiver, &payload), message);
            sender.release();
            assert!(!sender.is_allocated());
            if seed % 2 == 1 {
                assert_eq!(payload.len() < 40, keep, "{} bytes", payload.len());
            }
        }
    }
}

/// A message of a few kinds of data, up to a little more than the largest window.
fn message() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..300),
        (any::<u64>(), 0_usize..40_000).prop_map(|(seed, len)| text(seed % 4, len)),
        (any::<u64>(), 0_usize..40_000).prop_map(|(seed, len)| noise(seed % 4, len)),
        (any::<u8>(), 0_usize..100_000).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn every_message_comes_out_as_it_went_in(
        messages in vec(message(), 1..6),
        sizes in vec(1_usize..5000, 1..8),
        bits in 9_u8..=15,
        context_takeover: bool,
        level in 0_u8..=9,
    ) {
        let direction = direction(context_takeover, bits);
        let mut sender = Compressor::new(direction, level);
        let mut receiver = Decompressor::new(direction);
        for message in messages {
            let payload = compress(&mut sender, &message);
            let mut received = Vec::new();
            let mut rest = payload.as_slice();
            for size in sizes.iter().cycle() {
                let (fragment, after) = rest.split_at(rest.len().min(*size));
                rest = after;
                let fin = rest.is_empty();
                receiver
                    .decompress(fragment, fin, message.len(), &mut received)
                    .unwrap();
                if fin {
                    break;
                }
            }
            prop_assert!(received == message);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_never_pass_the_limit(
        chunks in vec((vec(any::<u8>(), 0..200), any::<bool>()), 0..20),
        context_takeover: bool,
        bits in 9_u8..=15,
        limit in 0_usize..2000,
    ) {
        let mut receiver = Decompressor::new(direction(context_takeover, bits));
        let mut message = Vec::new();
        for (chunk, fin) in chunks {
            let result = receiver.decompress(&chunk, fin, limit, &mut message);
            prop_assert!(message.len() <= limit);
            receiver.export();
            if fin || result.is_err() {
                message.clear();
            }
        }
    }
}

#[test]
fn context_is_kept_when_a_later_block_of_a_message_is_final() {
    let plain = noise(1, 2_000);
    let mut sender = Compressor::new(Direction::default(), 6);
    let first = compress(&mut sender, &plain);
    let third = compress(&mut sender, &plain);
    assert!(third.len() < 100, "it refers to the first one");
    // Empty stored blocks, the last of them final, and the octet of RFC 7692 section 7.2.3.4.
    let empty = [0x00, 0x00, 0x00, 0xff, 0xff];
    let last = [0x01, 0x00, 0x00, 0xff, 0xff];
    for second in [
        [&last[..]].concat(),
        [&last[..], &[0x00]].concat(),
        [&empty[..], &last].concat(),
        [&empty[..], &last, &[0x00]].concat(),
    ] {
        for size in [1, 7, 1000] {
            let mut receiver = receiver();
            assert!(decompress(&mut receiver, &first) == plain);
            let mut message = Vec::new();
            let mut pieces = second.chunks(size).peekable();
            while let Some(piece) = pieces.next() {
                let fin = pieces.peek().is_none();
                receiver
                    .decompress(piece, fin, UNLIMITED, &mut message)
                    .unwrap();
            }
            assert!(message.is_empty());
            assert!(decompress(&mut receiver, &third) == plain, "{second:?}");
        }
    }
}
