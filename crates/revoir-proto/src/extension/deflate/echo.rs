//! A DEFLATE block that makes an inflater repeat its own window.
//!
//! zlib keeps the window but the binding in use has no call to read it, and a second copy would
//! double the memory of every connection. Matches at the distance of the window's length copy
//! the window to the output, which is the only way to read it that costs nothing until then.

use flate2::{Decompress, FlushDecompress};

/// The longest match of DEFLATE (RFC 1951 section 3.2.5).
const MATCH: usize = 258;

/// Reads the last `len` bytes that `stream` produced; `len` is at most its window. The stream must
/// stand between two blocks and is of no use afterwards. `None` if it does not stand there.
pub(super) fn read_window(stream: &mut Decompress, len: usize) -> Option<Vec<u8>> {
    let mut window = Vec::with_capacity(len);
    if len == 0 {
        return Some(window);
    }
    let block = echo_block(len);
    let mut input = block.as_slice();
    while window.len() < len && !input.is_empty() {
        let before = stream.total_in();
        stream
            .decompress_vec(input, &mut window, FlushDecompress::None)
            .ok()?;
        let used = usize::try_from(stream.total_in() - before).ok()?;
        if used == 0 {
            break;
        }
        input = input.get(used..)?;
    }
    window.truncate(len);
    (window.len() == len).then_some(window)
}

/// A block of fixed Huffman codes with enough matches at `distance` to produce `distance` bytes.
/// It has no end: nothing is decompressed after it. `distance` is 1 to 32,768.
fn echo_block(distance: usize) -> Vec<u8> {
    let mut bits = BitWriter::default();
    // RFC 1951 section 3.2.3: BFINAL 0, BTYPE 01.
    bits.push(0b010, 3);
    let (code, extra_count, extra) = distance_code(distance);
    for _ in 0..distance.div_ceil(MATCH) {
        // Length 258 is code 285, which is 11000101 in the fixed code (section 3.2.6).
        bits.push_huffman(0b1100_0101, 8);
        bits.push_huffman(code, 5);
        bits.push(extra, extra_count);
    }
    bits.finish()
}

/// The distance code, the number of extra bits and their value (RFC 1951 section 3.2.5).
fn distance_code(distance: usize) -> (u32, u32, u32) {
    let offset = distance as u32 - 1;
    if offset < 4 {
        return (offset, 0, 0);
    }
    let log = offset.ilog2();
    let extra_count = log - 1;
    let code = 2 * log + ((offset >> extra_count) & 1);
    (code, extra_count, offset & ((1 << extra_count) - 1))
}

/// Packs bits as RFC 1951 section 3.1.1 says: first into the lowest bits of a byte.
#[derive(Default)]
struct BitWriter {
    bytes: Vec<u8>,
    held: u64,
    count: u32,
}

impl BitWriter {
    fn push(&mut self, value: u32, count: u32) {
        self.held |= u64::from(value) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.held as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// Huffman codes are packed from their highest bit on.
    fn push_huffman(&mut self, code: u32, count: u32) {
        self.push(code.reverse_bits() >> (u32::BITS - count), count);
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push(self.held as u8);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_codes_are_those_of_the_rfc_1951_table() {
        assert_eq!(distance_code(1), (0, 0, 0));
        assert_eq!(distance_code(4), (3, 0, 0));
        assert_eq!(distance_code(5), (4, 1, 0));
        assert_eq!(distance_code(6), (4, 1, 1));
        assert_eq!(distance_code(7), (5, 1, 0));
        assert_eq!(distance_code(257), (16, 7, 0));
        assert_eq!(distance_code(24_577), (29, 13, 0));
        assert_eq!(distance_code(32_768), (29, 13, 8_191));
    }

    #[test]
    fn window_of_any_length_is_read_back() {
        for len in [
            1_usize, 2, 3, 4, 5, 257, 258, 259, 511, 4_096, 32_767, 32_768,
        ] {
            let window: Vec<u8> = (0..len).map(|i| (i * 7 + i / 256) as u8).collect();
            let mut stream = Decompress::new_with_window_bits(false, 15);
            stream.set_dictionary(&window).unwrap();
            assert_eq!(read_window(&mut stream, len), Some(window), "{len}");
        }
    }
}
