//! Which bytes are ASCII: most text is, and to see that takes a fraction of the full check of UTF-8.

/// Of eight bytes as one number, those bits that no ASCII has.
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// From this length on, choosing vector instructions at run time costs less than it saves.
pub(crate) const WIDE_FROM: usize = 128;

/// So many bytes are looked at before one of them that is not ASCII ends the search.
pub(crate) const TEXT_BLOCK: usize = 1024;

/// Whether bytes that were put together with `|`, eight by eight, were ASCII.
#[inline(always)]
pub(crate) fn is_ascii(bits: u64) -> bool {
    bits & HIGH_BITS == 0
}

/// How many bytes at the start of `text` are known to be ASCII: all of them if they are.
#[inline]
pub(crate) fn ascii_start(text: &[u8]) -> usize {
    match text.len() < WIDE_FROM {
        true => known_as(text.is_ascii(), text.len()),
        false => ascii_start_wide(text),
    }
}

/// [`ascii_start`] with the widest instructions that the processor has.
#[cfg_attr(feature = "simd", multiversion::multiversion(targets("x86_64+avx2")))]
fn ascii_start_wide(text: &[u8]) -> usize {
    let (blocks, rest) = text.as_chunks::<TEXT_BLOCK>();
    let is_block_ascii = |block: &&[u8; TEXT_BLOCK]| is_ascii(bits_of(&block[..]));
    let start = TEXT_BLOCK * blocks.iter().take_while(is_block_ascii).count();
    if start + rest.len() < text.len() {
        return start;
    }
    start + known_as(is_ascii(bits_of(rest)), rest.len())
}

#[inline(always)]
pub(crate) fn known_as(is_ascii: bool, length: usize) -> usize {
    if is_ascii { length } else { 0 }
}

/// The bytes of `text` put together with `|`.
#[inline(always)]
fn bits_of(text: &[u8]) -> u64 {
    // The compiler turns loops over words into vector instructions.
    let (words, rest) = text.as_chunks::<8>();
    let bits = words
        .iter()
        .fold(0, |bits, word| bits | u64::from_le_bytes(*word));
    let (halves, rest) = rest.as_chunks::<4>();
    let bits = halves.iter().fold(bits, |bits, half| {
        bits | u64::from(u32::from_le_bytes(*half))
    });
    rest.iter().fold(bits, |bits, byte| bits | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_ascii_is_known_as_that_and_no_other_byte() {
        for length in (0..600).chain([1023, 1024, 1025, 3000]) {
            let mut text = vec![b'a'; length];
            assert_eq!(ascii_start(&text), length);
            for at in (0..length).step_by(37).chain(length.checked_sub(1)) {
                text[at] = 0x80;
                let start = ascii_start(&text);
                assert!(
                    start <= at && at < start + TEXT_BLOCK,
                    "{length} {at} {start}"
                );
                text[at] = 0x7F;
            }
        }
    }
}
