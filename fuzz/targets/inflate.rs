//! Any compressed messages under a limit: never more output than that, the same result however the
//! bytes are cut and wherever the decompressor is exported, and bounded memory.
//!
//! The input is three bytes of steering, then messages: two bytes of length, and as many bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use revoir_fuzz::memory::{Counting, peak_of};
use revoir_fuzz::pieces::{Cut, cuts, messages, steered};
use revoir_proto::extension::deflate::{Decompressor, Direction, InflateError, WindowBits};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Of zlib's state and two windows.
const CONSTANT: usize = 256 * 1024;
const LIMITS: [usize; 4] = [0, 100, 5_000, 100_000];

fuzz_target!(|data: &[u8]| {
    let Some(([flags, pattern, at], bytes)) = steered(data) else {
        return;
    };
    let direction = Direction {
        context_takeover: flags & 1 == 0,
        max_window_bits: WindowBits::new(9 + (flags >> 1) % 7).expect("9 to 15"),
    };
    let limit = LIMITS[usize::from(flags >> 6)];
    let messages = messages(bytes);
    let run = |cut: Cut, export_at: Option<u8>| {
        let mut decompressor = Decompressor::new(direction);
        let mut results: Vec<Result<Vec<u8>, InflateError>> = Vec::new();
        for message in &messages {
            let mut out = Vec::new();
            let pieces = cut.apply(message);
            let mut result = Ok(());
            for (index, piece) in pieces.iter().enumerate() {
                let fin = index + 1 == pieces.len();
                result = result.and_then(|()| decompressor.decompress(piece, fin, limit, &mut out));
                assert!(out.len() <= limit && out.capacity() <= 2 * limit + 512);
                if result.is_ok() && export_at.is_some_and(|at| index % 8 == usize::from(at % 8)) {
                    let state = decompressor.export();
                    let imported = Decompressor::import(direction, &state, limit);
                    let (moved, again) = imported.expect("what was exported can be imported");
                    // After the end of a message there is nothing unfinished.
                    assert!(again == if fin { vec![] } else { out.clone() });
                    decompressor = moved;
                }
            }
            if pieces.is_empty() {
                result = decompressor.decompress(&[], true, limit, &mut out);
            }
            results.push(result.map(|()| out));
        }
        results
    };
    let (whole, peak) = peak_of(|| run(Cut::Whole, None));
    let most = CONSTANT + 3 * bytes.len() + (messages.len() + 3) * limit;
    assert!(peak <= most, "{peak} bytes");
    for cut in cuts(pattern) {
        assert!(
            run(cut, None) == whole,
            "{cut:?} {:?} {whole:?}",
            run(cut, None)
        );
        assert!(
            run(cut, Some(at)) == whole,
            "export {cut:?} {:?} {whole:?}",
            run(cut, Some(at))
        );
    }
});
