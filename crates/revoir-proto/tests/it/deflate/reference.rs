//! A slow inflater that knows how far back a stream reaches.

/// What a compressed message decompresses to, and the largest distance in it; `None` if it does
/// not end where it has to. `history` is the data before it.
pub(super) fn inflate(message: &[u8], history: &[u8]) -> Option<(Vec<u8>, usize)> {
    let stream = [message, &[0x00, 0x00, 0xff, 0xff]].concat();
    let mut out = history.to_vec();
    let mut bits = Bits {
        stream: &stream,
        at: 0,
    };
    let mut farthest = 0;
    while bits.at < 8 * stream.len() {
        let is_final = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => stored(&mut bits, &mut out)?,
            1 => {
                let lengths: Vec<u8> = (0..288)
                    .map(|symbol| match symbol {
                        144..256 => 9,
                        256..280 => 7,
                        _ => 8,
                    })
                    .collect();
                let (literals, distances) = (Code::new(&lengths), Code::new(&[5; 30]));
                block(&mut bits, &literals, &distances, &mut out, &mut farthest)?;
            }
            2 => {
                let (literals, distances) = tables(&mut bits)?;
                block(&mut bits, &literals, &distances, &mut out, &mut farthest)?;
            }
            _ => return None,
        }
        if is_final {
            bits.at = bits.at.next_multiple_of(8);
            if bits.at == 8 * message.len() {
                break;
            }
        }
    }
    Some((out.split_off(history.len()), farthest))
}

fn stored(bits: &mut Bits<'_>, out: &mut Vec<u8>) -> Option<()> {
    bits.at = bits.at.next_multiple_of(8);
    let (len, complement) = (bits.take(16)?, bits.take(16)?);
    if len != !complement & 0xffff {
        return None;
    }
    for _ in 0..len {
        out.push(bits.take(8)? as u8);
    }
    Some(())
}

struct Bits<'a> {
    stream: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<usize> {
        (0..count).try_fold(0, |value, index| {
            let byte = *self.stream.get(self.at / 8)?;
            let bit = usize::from(byte >> (self.at % 8) & 1);
            self.at += 1;
            Some(value | bit << index)
        })
    }

    /// The next symbol of `code` (RFC 1951 section 3.2.2).
    fn symbol(&mut self, code: &Code) -> Option<usize> {
        let (mut bits, mut first, mut index) = (0, 0, 0);
        for count in &code.counts[1..] {
            bits = bits << 1 | self.take(1)?;
            first <<= 1;
            if bits - first < *count {
                return Some(code.symbols[index + bits - first]);
            }
            first += count;
            index += count;
        }
        None
    }
}

/// A Huffman code: how many codes there are of each length, and the symbols in their order.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[u8]) -> Self {
        let mut counts = [0; 16];
        for length in lengths {
            counts[usize::from(*length)] += 1;
        }
        let mut symbols: Vec<_> = (0..lengths.len()).filter(|at| lengths[*at] > 0).collect();
        symbols.sort_by_key(|at| lengths[*at]);
        Self { counts, symbols }
    }
}

fn block(
    bits: &mut Bits<'_>,
    literals: &Code,
    distances: &Code,
    out: &mut Vec<u8>,
    farthest: &mut usize,
) -> Option<()> {
    loop {
        let symbol = bits.symbol(literals)?;
        let length = match symbol {
            0..256 => {
                out.push(symbol as u8);
                continue;
            }
            256 => return Some(()),
            257..265 => symbol - 254,
            285 => 258,
            286.. => return None,
            _ => {
                let extra = (symbol - 261) / 4;
                3 + ((4 + (symbol - 261) % 4) << extra) + bits.take(extra)?
            }
        };
        let distance = match bits.symbol(distances)? {
            code @ 0..4 => code + 1,
            30.. => return None,
            code => {
                let extra = code / 2 - 1;
                1 + ((2 + code % 2) << extra) + bits.take(extra)?
            }
        };
        *farthest = (*farthest).max(distance);
        for _ in 0..length {
            out.push(out[out.len().checked_sub(distance)?]);
        }
    }
}

fn tables(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    const ORDER: [usize; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    let literals = bits.take(5)? + 257;
    let distances = bits.take(5)? + 1;
    let count = bits.take(4)? + 4;
    let mut code_lengths = [0; 19];
    for index in &ORDER[..count] {
        code_lengths[*index] = bits.take(3)? as u8;
    }
    let code_lengths = Code::new(&code_lengths);
    let mut lengths = Vec::new();
    while lengths.len() < literals + distances {
        let (value, repeat) = match bits.symbol(&code_lengths)? {
            16 => (lengths[lengths.len() - 1], 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (length as u8, 1),
        };
        lengths.extend(std::iter::repeat_n(value, repeat));
    }
    let distances = lengths.split_off(literals);
    Some((Code::new(&lengths), Code::new(&distances)))
}
