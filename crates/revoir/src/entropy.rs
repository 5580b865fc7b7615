//! [`Entropy`]: where masking keys, nonces and jitter come from.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use revoir_proto::Random;

/// Bytes drawn from the operating system at once, so that a masking key costs no system call.
const DRAWN: usize = 256;

/// The operating system's generator, through a buffer of 256 bytes per thread. RFC 6455 section 5.3
/// asks for masking keys that cannot be predicted.
#[derive(Clone, Copy, Debug)]
pub struct Entropy;

struct Drawn {
    bytes: [u8; DRAWN],
    used: usize,
}

thread_local! {
    static BUFFER: RefCell<Drawn> = const { RefCell::new(Drawn { bytes: [0; DRAWN], used: DRAWN }) };
}

impl Entropy {
    /// The next `N` random bytes, 256 at most: more do not compile.
    #[must_use]
    pub fn bytes<const N: usize>() -> [u8; N] {
        const { assert!(N <= DRAWN) };
        BUFFER.with_borrow_mut(|drawn| {
            if drawn.used + N > DRAWN {
                fill(&mut drawn.bytes);
                drawn.used = 0;
            }
            let mut taken = [0; N];
            taken.copy_from_slice(&drawn.bytes[drawn.used..drawn.used + N]);
            drawn.used += N;
            taken
        })
    }
}

impl Random for Entropy {
    #[inline]
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes(Self::bytes())
    }
}

fn fill(bytes: &mut [u8; DRAWN]) {
    if getrandom::fill(bytes).is_err() {
        // The standard library keeps keyed hashers of its own; a connection does not fail here.
        for (position, chunk) in bytes.chunks_exact_mut(8).enumerate() {
            chunk.copy_from_slice(&RandomState::new().hash_one(position).to_ne_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_do_not_repeat_over_a_refill() {
        let mut seen: Vec<[u8; 16]> = (0..64).map(|_| Entropy::bytes()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 64);
    }
}
