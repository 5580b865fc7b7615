//! The buffer that all connections of a thread read into.

use std::cell::Cell;

/// How much is read at once: a message of 64 KiB with the longest header (RFC 6455 section 5.2).
pub(crate) const READ_BUFFER_BYTES: usize = 64 * 1024 + 14;

thread_local! {
    static BUFFER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Lends the thread's buffer to `read`.
///
/// It is taken out meanwhile: a transport that is itself a connection finds none, and gets another.
pub(crate) fn with_read_buffer<T>(read: impl FnOnce(&mut [u8]) -> T) -> T {
    // A thread that is ending has none any more.
    let kept = BUFFER.try_with(Cell::take).ok().flatten();
    let mut buffer = kept.unwrap_or_else(|| vec![0; READ_BUFFER_BYTES].into_boxed_slice());
    let result = read(&mut buffer);
    let _ending = BUFFER.try_with(|kept| kept.set(Some(buffer)));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_inside_a_read_gets_a_buffer_of_its_own() {
        with_read_buffer(|outer| {
            outer[0] = 1;
            with_read_buffer(|inner| {
                inner[0] = 2;
                assert_eq!(inner.len(), READ_BUFFER_BYTES);
            });
            assert_eq!(outer[0], 1);
        });
    }
}
