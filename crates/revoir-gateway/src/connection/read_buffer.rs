//! The buffer that all connections of a thread read into. Not that of `revoir`, whose memory a connection may
//! keep: what was read here is written from here.

use std::cell::Cell;

/// How much is read at once.
pub(super) const READ_BUFFER_BYTES: usize = 64 * 1024;

thread_local! {
    static BUFFER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Lends the thread's buffer to `read`, so that an idle connection owns none.
pub(super) fn with_read_buffer<T>(read: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut buffer = BUFFER
        .take()
        .unwrap_or_else(|| vec![0; READ_BUFFER_BYTES].into_boxed_slice());
    let result = read(&mut buffer);
    BUFFER.set(Some(buffer));
    result
}
