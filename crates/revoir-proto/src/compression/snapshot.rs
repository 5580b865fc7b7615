//! [`CompressionSnapshot`]: permessage-deflate on a connection, as plain data.

/// permessage-deflate (RFC 7692).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressionSnapshot {
    /// Whether the server compresses every message on its own.
    pub server_no_context_takeover: bool,
    /// Whether the client compresses every message on its own.
    pub client_no_context_takeover: bool,
    /// The base-2 logarithm of the server's window.
    pub server_max_window_bits: u8,
    /// The base-2 logarithm of the client's window.
    pub client_max_window_bits: u8,
    /// The effort of the compressor, 0 to 9.
    pub level: u8,
    /// The last plain data of finished messages, at most 32 KiB: the peer may refer to it.
    pub window: Vec<u8>,
    /// The compressed bytes of the unfinished message.
    pub unfinished: Vec<u8>,
}
