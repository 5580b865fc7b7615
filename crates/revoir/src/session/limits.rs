//! What an end reads ahead of its application.

/// So many events wait at most before nothing more is read. A peer that keeps to a window of this size
/// never meets it: what nobody has taken is not acknowledged.
pub(super) const EVENTS: usize = 1024;

/// So many bytes of messages.
pub(super) const BYTES: usize = 1024 * 1024;
