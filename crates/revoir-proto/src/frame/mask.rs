//! [`Mask`]: payload masking (RFC 6455 section 5.3).

use crate::ascii::{TEXT_BLOCK, WIDE_FROM, ascii_start, is_ascii, known_as};

/// So many bytes are one turn of the loop: they fit in registers.
const BLOCK: usize = 256;

/// A masking key at some position of a payload. Masking and unmasking are the same operation.
///
/// Each call goes on where the last one stopped, so a payload may be handled in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    // In the order of the wire, the first byte lowest; turned so that it is the next one to use:
    // the position needs no field.
    key: u32,
}

impl Mask {
    /// The mask at the start of a payload.
    #[must_use]
    pub const fn new(key: [u8; 4]) -> Self {
        Self {
            key: u32::from_le_bytes(key),
        }
    }

    /// The key as it applies to the next byte. `Mask::new` of it goes on at this position.
    #[must_use]
    pub const fn next_key(self) -> [u8; 4] {
        self.key.to_le_bytes()
    }

    /// Masks or unmasks `payload` in place.
    #[inline]
    pub fn apply(&mut self, payload: &mut [u8]) {
        // Nothing changes, as with a frame that has no mask.
        if self.key == 0 {
            return;
        }
        if payload.len() < WIDE_FROM {
            xor(payload, self.key);
        } else {
            xor_wide(payload, self.key);
        }
        self.skip(payload.len());
    }

    /// Unmasks `text` in place, and returns how many bytes at its start are known to be ASCII then:
    /// all of them if they are.
    #[inline]
    pub(crate) fn apply_to_text(&mut self, text: &mut [u8]) -> usize {
        if self.key == 0 {
            return ascii_start(text);
        }
        let start = match text.len() < WIDE_FROM {
            true => known_as(is_ascii(xor(text, self.key)), text.len()),
            false => xor_text_wide(text, self.key),
        };
        self.skip(text.len());
        start
    }

    /// Masks or unmasks `source` into `target`, up to the end of the shorter one.
    #[inline]
    pub fn copy(&mut self, source: &[u8], target: &mut [u8]) {
        let length = source.len().min(target.len());
        let (source, target) = (&source[..length], &mut target[..length]);
        if length < WIDE_FROM {
            xor_into(source, target, self.key);
        } else {
            xor_into_wide(source, target, self.key);
        }
        self.skip(length);
    }

    /// Appends `source` to `target`, masked or unmasked on the way.
    #[inline]
    pub fn append(&mut self, source: &[u8], target: &mut Vec<u8>) {
        if source.len() < WIDE_FROM {
            let start = target.len();
            target.extend_from_slice(source);
            xor(&mut target[start..], self.key);
        } else {
            target.reserve(source.len());
            append_wide(source, target, self.key);
        }
        self.skip(source.len());
    }

    /// Goes on as if `bytes` more bytes had been masked.
    #[inline]
    pub fn skip(&mut self, bytes: usize) {
        self.key = self.key.rotate_right(8 * (bytes % 4) as u32);
    }
}

/// Two keys, one after the other.
#[inline(always)]
fn doubled(key: u32) -> u64 {
    u64::from(key) << 32 | u64::from(key)
}

/// Changes every byte of `payload` by the byte of `key` that is due, and returns what came out, put
/// together with `|`.
#[inline(always)]
fn xor(payload: &mut [u8], key: u32) -> u64 {
    let word = doubled(key);
    let mut bits = 0;
    // The compiler turns loops over words into vector instructions.
    let (words, rest) = payload.as_chunks_mut::<8>();
    for bytes in words {
        let changed = u64::from_le_bytes(*bytes) ^ word;
        *bytes = changed.to_le_bytes();
        bits |= changed;
    }
    let (halves, rest) = rest.as_chunks_mut::<4>();
    for bytes in halves {
        let changed = u32::from_le_bytes(*bytes) ^ key;
        *bytes = changed.to_le_bytes();
        bits |= u64::from(changed);
    }
    for (byte, key) in rest.iter_mut().zip(key.to_le_bytes()) {
        *byte ^= key;
        bits |= u64::from(*byte);
    }
    bits
}

/// Writes `source` into `target`, which is as long, every byte changed by the byte of `key` that is
/// due.
#[inline(always)]
fn xor_into(source: &[u8], target: &mut [u8], key: u32) {
    let word = doubled(key);
    let (from, from_rest) = source.as_chunks::<8>();
    let (to, to_rest) = target.as_chunks_mut::<8>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = (u64::from_le_bytes(*from) ^ word).to_le_bytes();
    }
    for ((to, from), key) in to_rest.iter_mut().zip(from_rest).zip(word.to_le_bytes()) {
        *to = from ^ key;
    }
}

/// [`xor`] with the widest instructions that the processor has.
// The only unsafe code of this crate comes out of this macro: the call of the version that was
// chosen after the processor was asked. `forbid(unsafe_code)` does not look into macros of others.
#[cfg_attr(feature = "simd", multiversion::multiversion(targets("x86_64+avx2")))]
fn xor_wide(payload: &mut [u8], key: u32) {
    let (blocks, rest) = payload.as_chunks_mut::<BLOCK>();
    for block in blocks {
        xor(block, key);
    }
    xor(rest, key);
}

/// [`xor_wide`] of text; returns how many bytes at its start are known to be ASCII then.
#[cfg_attr(feature = "simd", multiversion::multiversion(targets("x86_64+avx2")))]
fn xor_text_wide(text: &mut [u8], key: u32) -> usize {
    let (blocks, rest) = text.as_chunks_mut::<TEXT_BLOCK>();
    let (mut start, mut all) = (0, true);
    for block in blocks {
        all &= is_ascii(xor(block, key));
        start += known_as(all, TEXT_BLOCK);
    }
    all &= is_ascii(xor(rest, key));
    start + known_as(all, rest.len())
}

/// [`xor_into`] with the widest instructions that the processor has.
#[cfg_attr(feature = "simd", multiversion::multiversion(targets("x86_64+avx2")))]
fn xor_into_wide(source: &[u8], target: &mut [u8], key: u32) {
    let (from, from_rest) = source.as_chunks::<BLOCK>();
    let (to, to_rest) = target.as_chunks_mut::<BLOCK>();
    for (to, from) in to.iter_mut().zip(from) {
        xor_into(from, to, key);
    }
    xor_into(from_rest, to_rest, key);
}

/// Appends `source` to `target`, changed as by [`xor`], with the widest instructions that the processor
/// has.
#[cfg_attr(feature = "simd", multiversion::multiversion(targets("x86_64+avx2")))]
fn append_wide(source: &[u8], target: &mut Vec<u8>, key: u32) {
    let (blocks, rest) = source.as_chunks::<BLOCK>();
    for block in blocks {
        let mut block = *block;
        xor(&mut block, key);
        target.extend_from_slice(&block);
    }
    if !rest.is_empty() {
        let start = target.len();
        target.extend_from_slice(rest);
        xor(&mut target[start..], key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    fn plain(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 7 + 3) as u8).collect()
    }

    fn by_definition(payload: &[u8]) -> Vec<u8> {
        payload
            .iter()
            .enumerate()
            .map(|(i, byte)| byte ^ KEY[i % 4])
            .collect()
    }

    #[test]
    fn every_length_follows_the_definition() {
        for length in 0..700 {
            let expected = by_definition(&plain(length));
            let mut in_place = plain(length);
            Mask::new(KEY).apply(&mut in_place);
            assert_eq!(in_place, expected);
            let mut copied = vec![0; length];
            Mask::new(KEY).copy(&plain(length), &mut copied);
            assert_eq!(copied, expected);
        }
        for length in [0, 1, 127, 128, 129, 255, 256, 700, 1024, 1025, 2048, 3000] {
            let text: Vec<u8> = plain(length).iter().map(|byte| byte & 0x7F).collect();
            for other in (0..length).step_by(101).map(Some).chain([None]) {
                let mut masked = text.clone();
                if let Some(at) = other {
                    masked[at] |= 0x80;
                }
                let expected = masked.clone();
                Mask::new(KEY).apply(&mut masked);
                let start = Mask::new(KEY).apply_to_text(&mut masked);
                assert_eq!(masked, expected);
                assert!(start <= other.unwrap_or(length));
                assert!(
                    other.is_none_or(|at| at < start + TEXT_BLOCK),
                    "{length} {other:?} {start}"
                );
                assert!(other.is_some() || start == length);
            }
        }
        for length in [0, 1, 127, 128, 129, 4095, 4096, 4097, 10_001] {
            let mut copied = Vec::new();
            Mask::new(KEY).append(&plain(length), &mut copied);
            assert_eq!(copied, by_definition(&plain(length)));
        }
    }

    #[test]
    fn pieces_go_on_where_the_last_one_stopped() {
        let expected = by_definition(&plain(300));
        for cut in 0..=300 {
            let mut payload = plain(300);
            let mut mask = Mask::new(KEY);
            mask.apply(&mut payload[..cut]);
            mask = Mask::new(mask.next_key());
            let (_, rest) = payload.split_at_mut(cut);
            let source = rest.to_vec();
            mask.copy(&source, rest);
            assert_eq!(payload, expected, "{cut}");
        }
    }
}
