//! [`Entropy`]: where masking keys, nonces and jitter come from.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use revoir_proto::Random;

/// The operating system's generator. Relayed frames keep their masks, so little is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entropy;

impl Entropy {
    pub(crate) fn bytes<const N: usize>() -> [u8; N] {
        let mut bytes = [0; N];
        if getrandom::fill(&mut bytes).is_err() {
            // The standard library keeps keyed hashers of its own; a connection does not fail here.
            for (position, chunk) in bytes.chunks_mut(8).enumerate() {
                let hash = RandomState::new().hash_one(position).to_ne_bytes();
                chunk.copy_from_slice(&hash[..chunk.len()]);
            }
        }
        bytes
    }
}

/// Puts `items` in a random order; every order is as likely.
pub(crate) fn shuffle<T>(items: &mut [T]) {
    for last in (1..items.len()).rev() {
        let bits = u64::from(Entropy.next_u32());
        items.swap(last, ((bits * (last as u64 + 1)) >> 32) as usize);
    }
}

impl Random for Entropy {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes(Self::bytes())
    }
}
