//! The opening handshake (RFC 6455 section 4).

mod client;
mod decision;
mod refused;
mod server;

use bytes::BytesMut;

/// `head` with CRLF for every line end.
fn crlf(head: &str) -> Vec<u8> {
    head.replace('\n', "\r\n").into_bytes()
}

/// Gives `bytes` to `feed` in pieces of `size` until it has a result, and returns what is left.
fn feed_in_pieces<T>(
    bytes: &[u8],
    size: usize,
    mut feed: impl FnMut(&mut BytesMut) -> Option<T>,
) -> Option<(T, Vec<u8>)> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(size));
        rest = after;
        let mut input = BytesMut::from(piece);
        if let Some(result) = feed(&mut input) {
            return Some((result, [&input, rest].concat()));
        }
        assert!(input.is_empty(), "all input is taken while more is needed");
    }
    None
}
