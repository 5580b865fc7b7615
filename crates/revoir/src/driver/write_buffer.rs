//! The buffer that all connections of a thread queue their output in.

use std::cell::Cell;

/// A buffer beyond this capacity is not kept.
const KEPT_BYTES: usize = 16 * 1024;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The thread's buffer, or an empty one while it is in use, and once the thread is ending.
#[inline]
pub(crate) fn take_write_buffer() -> Vec<u8> {
    BUFFER.try_with(Cell::take).unwrap_or_default()
}

/// Keeps `buffer` for the next connection of the thread.
#[inline]
pub(crate) fn keep_write_buffer(buffer: Vec<u8>) {
    if buffer.capacity() <= KEPT_BYTES {
        let _ending = BUFFER.try_with(|kept| kept.set(buffer));
    }
}
