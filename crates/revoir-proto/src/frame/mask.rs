//! [`Mask`]: payload masking (RFC 6455 section 5.3).

/// Up to this length, zeroing the target first costs less than going through a block.
const ZEROED_MAX: usize = 2048;

/// How much is masked at once on its way into another buffer.
const BLOCK: usize = 512;

/// A masking key at some position of a payload. Masking and unmasking are the same operation.
///
/// Each call goes on where the last one stopped, so a payload may be handled in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    // Turned so that the first byte is the next one to use: the position needs no field.
    key: [u8; 4],
}

impl Mask {
    /// The mask at the start of a payload.
    #[must_use]
    pub const fn new(key: [u8; 4]) -> Self {
        Self { key }
    }

    /// The key as it applies to the next byte. `Mask::new` of it goes on at this position.
    #[must_use]
    pub const fn next_key(self) -> [u8; 4] {
        self.key
    }

    /// Masks or unmasks `payload` in place.
    #[inline]
    pub fn apply(&mut self, payload: &mut [u8]) {
        let word = self.word();
        // Whole words of eight: the compiler turns this loop into vector instructions.
        let (words, rest) = payload.as_chunks_mut::<8>();
        for bytes in words {
            *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
        }
        for (byte, key) in rest.iter_mut().zip(word.to_ne_bytes()) {
            *byte ^= key;
        }
        self.skip(payload.len());
    }

    /// Masks or unmasks `source` into `target`, up to the end of the shorter one.
    #[inline]
    pub fn copy(&mut self, source: &[u8], target: &mut [u8]) {
        let length = source.len().min(target.len());
        let word = self.word();
        let (from, from_rest) = source[..length].as_chunks::<8>();
        let (to, to_rest) = target[..length].as_chunks_mut::<8>();
        for (to, from) in to.iter_mut().zip(from) {
            *to = (u64::from_ne_bytes(*from) ^ word).to_ne_bytes();
        }
        for ((to, from), key) in to_rest.iter_mut().zip(from_rest).zip(word.to_ne_bytes()) {
            *to = from ^ key;
        }
        self.skip(length);
    }

    /// Appends `source` to `target`, masked or unmasked on the way.
    #[inline]
    pub fn append(&mut self, source: &[u8], target: &mut Vec<u8>) {
        if source.len() <= ZEROED_MAX {
            let start = target.len();
            target.resize(start + source.len(), 0);
            self.copy(source, &mut target[start..]);
        } else {
            self.append_blocks(source, target);
        }
    }

    /// Masks into a block that stays in the first cache, so that the target needs no zeroing.
    fn append_blocks(&mut self, source: &[u8], target: &mut Vec<u8>) {
        target.reserve(source.len());
        let mut block = [0; BLOCK];
        for piece in source.chunks(BLOCK) {
            let masked = &mut block[..piece.len()];
            self.copy(piece, masked);
            target.extend_from_slice(masked);
        }
    }

    /// Goes on as if `bytes` more bytes had been masked.
    #[inline]
    pub fn skip(&mut self, bytes: usize) {
        self.key.rotate_left(bytes % 4);
    }

    #[inline]
    fn word(self) -> u64 {
        let [a, b, c, d] = self.key;
        u64::from_ne_bytes([a, b, c, d, a, b, c, d])
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
        for length in 0..100 {
            let expected = by_definition(&plain(length));
            let mut in_place = plain(length);
            Mask::new(KEY).apply(&mut in_place);
            assert_eq!(in_place, expected);
            let mut copied = vec![0; length];
            Mask::new(KEY).copy(&plain(length), &mut copied);
            assert_eq!(copied, expected);
        }
        for length in [0, 1, 2047, 2048, 2049, 2560, 5000] {
            let mut copied = Vec::new();
            Mask::new(KEY).append(&plain(length), &mut copied);
            assert_eq!(copied, by_definition(&plain(length)));
        }
    }

    #[test]
    fn pieces_go_on_where_the_last_one_stopped() {
        let expected = by_definition(&plain(40));
        for cut in 0..=40 {
            let mut payload = plain(40);
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
