use revoir_codes::SendCode;
use revoir_proto::extension::deflate::{Compressor, Decompressor, InflateError};

use super::{compress, direction, noise};

#[test]
fn bomb_stops_at_the_limit_without_room_for_more() {
    let limit = 1 << 20;
    // 64 MiB from 64 KiB: a message may be a row of flushed pieces.
    let mut piece = compress(
        &mut Compressor::new(direction(false, 15), 9),
        &vec![0; limit],
    );
    piece.extend_from_slice(&[0x00, 0x00, 0xff, 0xff]);
    let bomb = piece.repeat(64);
    let small = compress(
        &mut Compressor::new(direction(false, 15), 9),
        &vec![0; limit + 1],
    );
    assert!(small.len() < 1100);
    for payload in [&bomb, &small] {
        for size in [1, 1000, payload.len()] {
            let mut receiver = Decompressor::new(direction(true, 15));
            let mut message = Vec::new();
            let result = payload
                .chunks(size)
                .try_for_each(|chunk| receiver.decompress(chunk, false, limit, &mut message));
            assert_eq!(result, Err(InflateError::TooBig { limit }));
            assert_eq!(message.len(), limit);
            assert!(message.capacity() <= limit, "{}", message.capacity());
            assert!(!receiver.is_allocated());
        }
    }
}

#[test]
fn message_of_exactly_the_limit_is_received() {
    for len in [0, 1, 255, 256, 257, 1000, 70_000] {
        let payload = compress(&mut Compressor::new(direction(false, 15), 9), &vec![7; len]);
        let mut receiver = Decompressor::new(direction(false, 15));
        let mut message = Vec::new();
        receiver
            .decompress(&payload, true, len, &mut message)
            .unwrap();
        assert_eq!(message, vec![7; len]);
        if let Some(limit) = len.checked_sub(1) {
            let result = receiver.decompress(&payload, true, limit, &mut Vec::new());
            assert_eq!(result, Err(InflateError::TooBig { limit }));
        }
    }
}

#[test]
fn room_grows_with_what_comes_out_and_not_with_the_limit() {
    let payload = compress(&mut Compressor::new(direction(false, 15), 9), b"small");
    let mut message = Vec::new();
    Decompressor::new(direction(false, 15))
        .decompress(&payload, true, usize::MAX, &mut message)
        .unwrap();
    assert!(message.capacity() <= 512);
}

#[test]
fn buffer_with_more_room_than_the_limit_is_cut_to_it() {
    let payload = compress(&mut Compressor::new(direction(false, 15), 9), &[0; 5000]);
    let mut message = Vec::with_capacity(10_000);
    let result =
        Decompressor::new(direction(false, 15)).decompress(&payload, true, 100, &mut message);
    assert_eq!(result, Err(InflateError::TooBig { limit: 100 }));
    assert_eq!(message.len(), 100);
}

#[test]
fn compressed_bytes_that_produce_nothing_are_limited_too() {
    let nothing = [0x00, 0x00, 0x00, 0xff, 0xff].repeat(3000);
    for size in [1, 999, nothing.len()] {
        let mut receiver = Decompressor::new(direction(true, 15));
        let mut message = Vec::new();
        let result = nothing
            .chunks(size)
            .try_for_each(|chunk| receiver.decompress(chunk, false, 8000, &mut message));
        let too_long = Err(InflateError::TooLongCompressed { limit: 10_024 });
        assert_eq!(result, too_long, "in pieces of {size}");
        let mut receiver = Decompressor::new(direction(true, 15));
        let whole = receiver.decompress(&nothing, true, 8000, &mut message);
        assert_eq!(whole, too_long);
    }
}

#[test]
fn noise_in_fragments_fits_the_limit_on_compressed_bytes() {
    for len in [1, 1000, 100_000] {
        let plain = noise(9, len);
        let payload = compress(&mut Compressor::new(direction(true, 9), 6), &plain);
        let mut receiver = Decompressor::new(direction(true, 9));
        let mut message = Vec::new();
        for chunk in payload.chunks(100) {
            receiver
                .decompress(chunk, false, len, &mut message)
                .unwrap();
        }
        receiver.decompress(&[], true, len, &mut message).unwrap();
        assert!(message == plain);
    }
}

#[test]
fn flood_of_final_blocks_is_stopped() {
    let mut receiver = Decompressor::new(direction(true, 15));
    let flood = [0x03, 0x00].repeat(2000);
    let result = receiver.decompress(&flood, true, 10_000, &mut Vec::new());
    assert_eq!(
        result,
        Err(InflateError::TooManyFinalBlocks { limit: 1024 })
    );
}

#[test]
fn limits_close_with_1009_and_broken_data_with_1002() {
    for (error, code, section) in [
        (
            InflateError::TooBig { limit: 1 },
            SendCode::MESSAGE_TOO_BIG,
            "RFC 6455 section 10.4",
        ),
        (
            InflateError::TooLongCompressed { limit: 1 },
            SendCode::MESSAGE_TOO_BIG,
            "RFC 6455 section 10.4",
        ),
        (
            InflateError::Corrupt,
            SendCode::PROTOCOL_ERROR,
            "RFC 7692 section 7.2.2",
        ),
        (
            InflateError::Truncated,
            SendCode::PROTOCOL_ERROR,
            "RFC 7692 section 7.2.2",
        ),
    ] {
        assert_eq!((error.close_code(), error.section()), (code, section));
        assert!(error.to_string().starts_with("got "), "{error}");
    }
}
