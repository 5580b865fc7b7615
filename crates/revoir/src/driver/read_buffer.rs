//! The buffer that all connections of a thread read into.

use std::cell::Cell;

/// How much is read at once: a message of 64 KiB with the longest header (RFC 6455 section 5.2).
pub(crate) const READ_BUFFER_BYTES: usize = 64 * 1024 + 14;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Lends the thread's buffer, which is empty, to `read`. Whoever takes its memory leaves the thread
/// to get another.
///
/// It is taken out meanwhile: a transport that is itself a connection finds none, and gets another.
pub(crate) fn with_read_buffer<T>(read: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    // A thread that is ending has none any more.
    let mut buffer = BUFFER.try_with(Cell::take).unwrap_or_default();
    buffer.reserve_exact(READ_BUFFER_BYTES);
    let result = read(&mut buffer);
    buffer.clear();
    let _ending = BUFFER.try_with(|kept| kept.set(buffer));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_inside_a_read_gets_a_buffer_of_its_own() {
        with_read_buffer(|outer| {
            outer.push(1);
            with_read_buffer(|inner| {
                inner.push(2);
                assert_eq!(inner.capacity(), READ_BUFFER_BYTES);
            });
            assert_eq!(outer[..], [1]);
        });
    }
}
