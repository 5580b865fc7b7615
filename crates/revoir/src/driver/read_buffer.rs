//! The buffers that all connections of a thread read into.

use std::cell::Cell;

/// The longest header (RFC 6455 section 5.2).
const HEADER_BYTES: usize = 14;

thread_local! {
    static USUAL: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static SMALLER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// How much a connection reads at once, whenever it is not read into the memory of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ReadSize {
    /// A message of 16 KiB.
    Quarter,
    /// A message of 32 KiB.
    Half,
    /// A message of 64 KiB.
    #[default]
    Usual,
}

impl ReadSize {
    const fn bytes(self) -> usize {
        let payload = match self {
            Self::Quarter => 16 * 1024,
            Self::Half => 32 * 1024,
            Self::Usual => 64 * 1024,
        };
        payload + HEADER_BYTES
    }

    /// How much to read after a read of `count` bytes. A buffer that is half full can be given away, so
    /// it is to be no larger than that if the messages stay as they are.
    pub(crate) fn after(count: usize) -> Self {
        let mut smaller = [Self::Quarter, Self::Half].into_iter();
        let fits = |size: &Self| (size.bytes().div_ceil(2)..size.bytes()).contains(&count);
        smaller.find(fits).unwrap_or_default()
    }
}

/// Lends a buffer of the thread, which is empty and has room for `size`, to `read`. Whoever takes its
/// memory leaves the thread to get another.
///
/// It is taken out meanwhile: a transport that is itself a connection finds none, and gets another.
pub(crate) fn with_read_buffer<T>(size: ReadSize, read: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let kept = match size {
        ReadSize::Usual => &USUAL,
        ReadSize::Quarter | ReadSize::Half => &SMALLER,
    };
    // A thread that is ending has none any more.
    let mut buffer = kept.try_with(Cell::take).unwrap_or_default();
    if buffer.capacity() != size.bytes() {
        buffer = Vec::with_capacity(size.bytes());
    }
    let result = read(&mut buffer);
    buffer.clear();
    let _ending = kept.try_with(|kept| kept.set(buffer));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_inside_a_read_gets_a_buffer_of_its_own() {
        for size in [ReadSize::Quarter, ReadSize::Half, ReadSize::Usual] {
            with_read_buffer(size, |outer| {
                outer.push(1);
                with_read_buffer(size, |inner| {
                    inner.push(2);
                    assert_eq!(inner.capacity(), size.bytes());
                });
                assert_eq!(outer[..], [1]);
            });
        }
    }

    #[test]
    fn the_next_read_is_half_filled_by_as_much_as_the_last_one_brought() {
        for count in 0..70_000 {
            let bytes = ReadSize::after(count).bytes();
            let is_given_away = 2 * count >= bytes;
            assert_eq!(is_given_away, count >= 8 * 1024 + 7, "{count}");
            // What came may not have been all.
            assert!(count < bytes || bytes == ReadSize::Usual.bytes(), "{count}");
        }
    }
}
