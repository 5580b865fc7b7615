//! Numbers as QUIC writes them (RFC 9000 section 16), and fields made of them.

use crate::wire::Violation;

/// The largest number: a JavaScript number is exact up to here.
pub(crate) const NUMBER_MAX: u64 = (1 << 53) - 1;

/// Reads a control message from its front.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, length: u64) -> Result<&'a [u8], Violation> {
        let length = usize::try_from(length).map_err(|_| Violation::Truncated)?;
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(Violation::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Violation> {
        let first = *self.0.first().ok_or(Violation::Truncated)?;
        let bytes = self.take(1 << (first >> 6))?;
        let high = u64::from(first & 0x3f);
        let number = bytes[1..]
            .iter()
            .fold(high, |number, byte| number << 8 | u64::from(*byte));
        match number <= NUMBER_MAX {
            true => Ok(number),
            false => Err(Violation::NumberTooBig),
        }
    }

    /// The next field, with its id, which has to be above `last`.
    pub(crate) fn field(&mut self, last: &mut Option<u64>) -> Result<(u64, Self), Violation> {
        let id = self.number()?;
        if last.is_some_and(|last| id <= last) {
            return Err(Violation::FieldOrder);
        }
        *last = Some(id);
        let length = self.number()?;
        Ok((id, Reader(self.take(length)?)))
    }

    /// A number with nothing behind it, as the value of a field.
    pub(crate) fn only_number(mut self) -> Result<u64, Violation> {
        let bad = |_| Violation::BadValue;
        let number = self.number().map_err(|violation| match violation {
            Violation::NumberTooBig => violation,
            other => bad(other),
        })?;
        self.end().map_err(bad)?;
        Ok(number)
    }

    /// Nothing, as the value of a field that says yes by being there.
    pub(crate) fn nothing(self) -> Result<bool, Violation> {
        self.end().map_err(|_| Violation::BadValue)?;
        Ok(true)
    }

    pub(crate) const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Text, as all that is left.
    pub(crate) fn text(self) -> Result<String, Violation> {
        let text = std::str::from_utf8(self.0).map_err(|_| Violation::BadValue)?;
        Ok(text.to_owned())
    }

    pub(crate) const fn end(&self) -> Result<(), Violation> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(Violation::TrailingBytes),
        }
    }
}

/// Writes a number in as few bytes as it needs. Those above [`NUMBER_MAX`] do not occur, and would
/// be written as that.
pub(crate) fn put_number(out: &mut Vec<u8>, number: u64) {
    let number = number.min(NUMBER_MAX);
    let bytes = number.to_be_bytes();
    let (length, mark) = match number {
        0..=0x3f => (1, 0),
        0x40..=0x3fff => (2, 0x40),
        0x4000..=0x3fff_ffff => (4, 0x80),
        _ => (8, 0xc0),
    };
    let begin = out.len();
    out.extend_from_slice(&bytes[8 - length..]);
    out[begin] |= mark;
}

pub(crate) fn put_field(out: &mut Vec<u8>, id: u64, value: &[u8]) {
    put_number(out, id);
    put_number(out, value.len() as u64);
    out.extend_from_slice(value);
}

pub(crate) fn put_number_field(out: &mut Vec<u8>, id: u64, number: u64) {
    let mut value = Vec::with_capacity(8);
    put_number(&mut value, number);
    put_field(out, id, &value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written() {
        let edges = [
            0,
            1,
            63,
            64,
            16_383,
            16_384,
            (1 << 30) - 1,
            1 << 30,
            NUMBER_MAX,
        ];
        for number in edges {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.number(), Ok(number));
            assert!(reader.is_empty());
            assert_eq!(
                Reader::new(&bytes[..bytes.len() - 1]).number(),
                Err(Violation::Truncated)
            );
        }
    }

    #[test]
    fn a_number_that_javascript_cannot_count_is_refused() {
        let bytes = ((0xc0 << 56) | (NUMBER_MAX + 1)).to_be_bytes();
        assert_eq!(Reader::new(&bytes).number(), Err(Violation::NumberTooBig));
    }
}
