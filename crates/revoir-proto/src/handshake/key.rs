//! The key that ties a response to its request (RFC 6455 sections 4.1 and 4.2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1_smol::Sha1;

/// What the server appends to the key (RFC 6455 section 1.3).
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The length of the nonce behind a key, in bytes (RFC 6455 section 4.1).
pub const NONCE_BYTES: usize = 16;

/// The value of Sec-WebSocket-Key for `nonce`, which is random and used once.
#[must_use]
pub fn key(nonce: [u8; NONCE_BYTES]) -> String {
    STANDARD.encode(nonce)
}

/// Whether `key` is 16 bytes in base64.
pub(crate) fn is_key(key: &[u8]) -> bool {
    let mut nonce = [0; NONCE_BYTES + 2];
    STANDARD.decode_slice(key, &mut nonce) == Ok(NONCE_BYTES)
}

/// The value of Sec-WebSocket-Accept for `key`, as it stands in the request.
#[must_use]
pub fn accept(key: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(key.as_bytes());
    hash.update(GUID.as_bytes());
    STANDARD.encode(hash.digest().bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonce_of_rfc_6455_section_1_3_gives_its_key_and_accept() {
        assert_eq!(key(*b"the sample nonce"), "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(
            accept("dGhlIHNhbXBsZSBub25jZQ=="),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn only_16_bytes_of_base64_are_a_key() {
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        for wrong in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZR==",
            "dGhlIHNhbXBsZSBub25j",
            "dGhlIHNhbXBsZSBub25jZSE=",
            "dGhlIHNhbXBsZSBub25jZSEh",
            "dGhlIHNhbXBs-SBub25jZQ==",
            " GhlIHNhbXBsZSBub25jZQ==",
        ] {
            assert!(!is_key(wrong.as_bytes()), "{wrong:?}");
        }
        assert!(!is_key(&[b'A'; 10_000]));
    }
}
