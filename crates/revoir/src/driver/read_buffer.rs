//! The buffers that all connections of a thread read into.

use std::cell::Cell;

use revoir_proto::Role;

/// The longest header (RFC 6455 section 5.2).
const HEADER_BYTES: usize = 14;

thread_local! {
    /// Of each role, one of each size.
    static KEPT: [[Cell<Vec<u8>>; 3]; 2] =
        const { [const { [const { Cell::new(Vec::new()) }; 3] }; 2] };
}

/// How much a connection reads at once, whenever it is not read into the memory of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ReadSize {
    /// Twice a message of 8 KiB.
    Quarter,
    /// Twice a message of 16 KiB.
    Half,
    /// A message of 64 KiB.
    #[default]
    Usual,
}

impl ReadSize {
    /// In a connection of `role`, whose peer masks its messages or does not.
    const fn bytes(self, role: Role) -> usize {
        // Of a message of 126 bytes to 64 KiB.
        let header = match role {
            Role::Client => 4,
            Role::Server => 8,
        };
        match self {
            Self::Quarter => 2 * (8 * 1024 + header),
            Self::Half => 2 * (16 * 1024 + header),
            Self::Usual => 64 * 1024 + HEADER_BYTES,
        }
    }

    /// How much to read after a read of `count` bytes. A buffer that is half full can be given away, so
    /// it is to be no larger than that if the messages stay as they are.
    pub(crate) fn after(count: usize, role: Role) -> Self {
        let mut smaller = [Self::Quarter, Self::Half].into_iter();
        let fits = |size: &Self| {
            let bytes = size.bytes(role);
            (bytes / 2..bytes).contains(&count)
        };
        smaller.find(fits).unwrap_or_default()
    }
}

/// Lends a buffer of the thread, which is empty and has room for `size`, to `read`. Whoever takes its
/// memory leaves the thread to get another.
///
/// It is taken out meanwhile: a transport that is itself a connection finds none, and gets another.
pub(crate) fn with_read_buffer<T>(
    size: ReadSize,
    role: Role,
    read: impl FnOnce(&mut Vec<u8>) -> T,
) -> T {
    let (bytes, place) = (size.bytes(role), (role as usize, size as usize));
    // A thread that is ending has none any more.
    let kept = KEPT.try_with(|kept| kept[place.0][place.1].take());
    let mut buffer = kept.unwrap_or_default();
    if buffer.capacity() != bytes {
        buffer = Vec::with_capacity(bytes);
    }
    let result = read(&mut buffer);
    buffer.clear();
    let _ending = KEPT.try_with(|kept| kept[place.0][place.1].set(buffer));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = (ReadSize, Role)> {
        let sizes = [ReadSize::Quarter, ReadSize::Half, ReadSize::Usual].into_iter();
        sizes.flat_map(|size| [(size, Role::Client), (size, Role::Server)])
    }

    #[test]
    fn a_read_inside_a_read_gets_a_buffer_of_its_own() {
        for (size, role) in all() {
            with_read_buffer(size, role, |outer| {
                outer.push(1);
                with_read_buffer(size, role, |inner| {
                    inner.push(2);
                    assert_eq!(inner.capacity(), size.bytes(role));
                });
                assert_eq!(outer[..], [1]);
            });
        }
    }

    #[test]
    fn a_thread_keeps_one_of_each_size_and_role() {
        let places = || all().map(|(size, role)| with_read_buffer(size, role, |b| b.as_ptr()));
        let first: Vec<_> = places().collect();
        assert!(places().eq(first));
    }

    #[test]
    fn the_next_read_is_half_filled_by_as_much_as_the_last_one_brought() {
        for (role, header) in [(Role::Client, 4), (Role::Server, 8)] {
            for count in 0..70_000 {
                let size = ReadSize::after(count, role);
                let bytes = size.bytes(role);
                let is_given_away = 2 * count >= bytes;
                assert_eq!(is_given_away, count >= 8 * 1024 + header, "{count}");
                // What came may not have been all.
                assert!(count < bytes || size == ReadSize::Usual, "{count}");
            }
            let size_for = |payload| ReadSize::after(payload + header, role);
            assert_eq!(size_for(16 * 1024), ReadSize::Quarter);
            assert_eq!(size_for(32 * 1024), ReadSize::Half);
        }
    }
}
