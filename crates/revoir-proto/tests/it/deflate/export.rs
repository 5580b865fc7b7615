use proptest::collection::vec;
use proptest::prelude::*;
use revoir_proto::extension::deflate::{
    Compressor, CompressorState, Decompressor, DecompressorState,
};

use super::{UNLIMITED, compress, decompress, direction, text};

#[test]
fn decompressor_imported_after_every_byte_gives_the_same_messages() {
    for (context_takeover, bits) in [(true, 15), (true, 9), (false, 15)] {
        let direction = direction(context_takeover, bits);
        let mut sender = Compressor::new(direction, 6);
        let plain: Vec<_> = (0..4).map(|seed| text(seed % 2, 900)).collect();
        let mut payloads: Vec<_> = plain.iter().map(|m| compress(&mut sender, m)).collect();
        // A final block in the middle of the conversation.
        payloads.insert(2, vec![0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]);
        let mut receiver = Decompressor::new(direction);
        let mut received = Vec::new();
        for payload in &payloads {
            let mut message = Vec::new();
            for (at, byte) in payload.iter().enumerate() {
                let fin = at + 1 == payload.len();
                let chunk = std::slice::from_ref(byte);
                receiver.decompress(chunk, fin, 1000, &mut message).unwrap();
                let state = receiver.export();
                let (imported, so_far) = Decompressor::import(direction, &state, 1000).unwrap();
                assert_eq!(so_far, if fin { Vec::new() } else { message.clone() });
                receiver = imported;
            }
            received.push(message);
        }
        assert_eq!(received.remove(2), b"Hello");
        // The sender does not know of the final block, so the last window differs by its text.
        assert_eq!(received[..2], plain[..2]);
        if !context_takeover {
            assert_eq!(received, plain);
        }
    }
}

#[test]
fn exported_window_is_the_last_plain_data() {
    for bits in 9..=15 {
        let direction = direction(true, bits);
        let mut sender = Compressor::new(direction, 6).with_history();
        let mut receiver = Decompressor::new(direction);
        let mut all = Vec::new();
        for seed in 0..12 {
            let message = text(seed, 1 << (seed + 3));
            let payload = compress(&mut sender, &message);
            assert!(decompress(&mut receiver, &payload) == message);
            all.extend_from_slice(&message);
            let window = &all[all.len().saturating_sub(1 << bits)..];
            assert!(receiver.export().window == window);
            assert!(sender.export().window == window);
        }
    }
}

#[test]
fn without_context_takeover_there_is_nothing_to_export_between_messages() {
    let direction = direction(false, 15);
    let mut sender = Compressor::new(direction, 6).with_history();
    let mut receiver = Decompressor::new(direction);
    let payload = compress(&mut sender, b"Hello");
    decompress(&mut receiver, &payload);
    assert_eq!(sender.export(), CompressorState::default());
    assert_eq!(receiver.export(), DecompressorState::default());
}

#[test]
fn export_of_an_untouched_decompressor_is_empty() {
    let receiver = Decompressor::new(direction(true, 15));
    assert_eq!(receiver.export(), DecompressorState::default());
    assert!(!receiver.is_allocated());
}

#[test]
fn broken_state_is_an_error_and_no_panic() {
    let state = DecompressorState {
        window: vec![1; 100_000],
        unfinished: vec![0xff; 10],
    };
    assert!(Decompressor::import(direction(true, 9), &state, UNLIMITED).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn both_ends_imported_anywhere_give_the_same_messages(
        messages in vec((0_u64..3, 0_usize..20_000), 1..10),
        sizes in vec(1_usize..3000, 1..5),
        moves in vec(any::<bool>(), 1..40),
        bits in 9_u8..=15,
        context_takeover: bool,
        keep_history: bool,
    ) {
        let direction = direction(context_takeover, bits);
        let mut sender = Compressor::new(direction, 6);
        if keep_history {
            sender = sender.with_history();
        }
        let mut receiver = Decompressor::new(direction);
        let mut moves = moves.iter().copied().cycle();
        let mut sizes = sizes.iter().copied().cycle();
        for (seed, len) in messages {
            let plain = text(seed, len);
            if moves.next() == Some(true) {
                sender = Compressor::import(direction, 6, &sender.export());
            }
            let payload = compress(&mut sender, &plain);
            let mut rest = payload.as_slice();
            let mut message = Vec::new();
            loop {
                let (chunk, after) = rest.split_at(rest.len().min(sizes.next().unwrap_or(1)));
                rest = after;
                let fin = rest.is_empty();
                receiver.decompress(chunk, fin, 20_000, &mut message).unwrap();
                if moves.next() == Some(true) {
                    let state = receiver.export();
                    receiver = Decompressor::import(direction, &state, 20_000).unwrap().0;
                }
                if fin {
                    break;
                }
            }
            prop_assert!(message == plain);
        }
    }
}
