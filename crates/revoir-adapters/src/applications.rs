//! Who vouches for the applications that speak a protocol.

/// Whether anybody vouches for the applications that speak a protocol: that they are content with what
/// an adapter says again. Only they know what else they do when they connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applications {
    /// Nobody: the protocol was detected. Held is who cannot miss what its application would have done.
    Unknown,
    /// Somebody named the protocol.
    Known,
}
