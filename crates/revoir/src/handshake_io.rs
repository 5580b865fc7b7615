//! What both sides of the opening handshake share: sizes, and endings before the connection opens.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use revoir_proto::{Cause, Detail, Ending};

use crate::driver::io_detail;

/// How much is read at once.
pub(crate) const READ_BYTES: usize = 2048;

/// The bytes behind the handshake, in memory of their own length.
pub(crate) fn leftover(input: &BytesMut) -> BytesMut {
    match input.is_empty() {
        true => BytesMut::new(),
        false => BytesMut::from(&input[..]),
    }
}

pub(crate) fn lost(error: &io::Error) -> Ending {
    Ending::never_opened(Cause::HandshakeReset, io_detail(error))
}

pub(crate) fn too_slow(limit: Duration) -> Ending {
    let detail = format!("not done within {limit:?}");
    Ending::never_opened(Cause::HandshakeTimeout, Detail::Text(detail.into()))
}
