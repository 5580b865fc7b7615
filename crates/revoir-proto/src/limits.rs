//! [`Limits`]: bounds on what a peer or a slow network can make this endpoint hold.

/// Bounds on what one connection holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest message accepted, in bytes of its payload, after inflating. It holds for a
    /// frame, for the sum of the fragments and for the inflated form. Default: 1 MiB.
    ///
    /// Memory follows the bytes that arrived, never the length that a header declares.
    pub message: usize,
    /// The high-water mark of the output queue, in bytes on the wire: at or above it, messages
    /// are refused with `UsageError::QueueFull`. The queue exceeds it by one message at most, plus
    /// the control frames. With 0 no message can be sent, ever. Default: 1 MiB.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: 1024 * 1024,
            queue: 1024 * 1024,
        }
    }
}
