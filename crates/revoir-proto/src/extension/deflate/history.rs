//! [`History`]: the last bytes of plain data, for priming a fresh state of zlib.

use std::collections::VecDeque;

/// The last bytes that went through, as many as the window holds. Grows with the data.
#[derive(Clone, Debug)]
pub(super) struct History {
    bytes: VecDeque<u8>,
    window: usize,
}

impl History {
    pub(super) fn new(window: usize) -> Self {
        Self {
            bytes: VecDeque::new(),
            window,
        }
    }

    pub(super) fn push(&mut self, data: &[u8]) {
        let data = last(data, self.window);
        let surplus = (self.bytes.len() + data.len()).saturating_sub(self.window);
        self.bytes.drain(..surplus);
        let length = self.bytes.len() + data.len();
        if length > self.bytes.capacity() {
            // Doubling, and never past the window.
            let capacity = (2 * length).min(self.window);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend(data);
    }

    /// The last bytes, at most `count`.
    pub(super) fn last(&self, count: usize) -> Vec<u8> {
        let skipped = self.bytes.len().saturating_sub(count);
        self.bytes.range(skipped..).copied().collect()
    }

    pub(super) fn to_vec(&self) -> Vec<u8> {
        self.last(self.window)
    }
}

/// The last `count` bytes of `data`, or all of it.
pub(super) fn last(data: &[u8], count: usize) -> &[u8] {
    &data[data.len().saturating_sub(count)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_window_is_kept() {
        let mut history = History::new(4);
        history.push(b"ab");
        history.push(b"");
        assert_eq!(history.to_vec(), b"ab");
        history.push(b"cde");
        assert_eq!(history.to_vec(), b"bcde");
        history.push(b"0123456789");
        assert_eq!(history.to_vec(), b"6789");
    }
}
