//! `Compression`: the connection's side of permessage-deflate. Without the feature it is a type
//! without values, so that the rest of the crate has no conditions.

#[cfg(not(feature = "deflate"))]
mod absent;
#[cfg(feature = "deflate")]
mod present;
mod snapshot;

#[cfg(not(feature = "deflate"))]
pub(crate) use absent::Compression;
#[cfg(feature = "deflate")]
pub(crate) use present::Compression;
pub use snapshot::CompressionSnapshot;
