//! What a message to send may be made of.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};

use crate::message::Utf8Bytes;

/// Something that can be sent as a binary message.
///
/// Borrowed bytes are copied. A large payload that owns its buffer is sent from it, by reference,
/// where no mask has to be applied.
///
/// This trait is sealed: it runs in the middle of a connection, which relies on what it returns.
///
/// ```compile_fail,E0277
/// struct Mine;
///
/// impl revoir_proto::BinaryPayload for Mine {
///     fn as_payload(&self) -> &[u8] {
///         b"mine"
///     }
///     fn into_payload(self) -> bytes::Bytes {
///         bytes::Bytes::from_static(b"mine")
///     }
/// }
/// ```
pub trait BinaryPayload: sealed::Binary {
    /// The payload.
    fn as_payload(&self) -> &[u8];

    /// The payload in a shared buffer.
    fn into_payload(self) -> Bytes;
}

/// Something that can be sent as a text message.
///
/// This trait is sealed: what is sent as text is UTF-8 (RFC 6455 section 5.6), and nothing checks
/// it again.
///
/// ```compile_fail,E0277
/// struct Mine;
///
/// impl revoir_proto::TextPayload for Mine {
///     fn as_payload(&self) -> &[u8] {
///         b"\xff"
///     }
///     fn into_payload(self) -> revoir_proto::Utf8Bytes {
///         revoir_proto::Utf8Bytes::default()
///     }
/// }
/// ```
pub trait TextPayload: sealed::Text {
    /// The UTF-8 bytes of the text.
    fn as_payload(&self) -> &[u8];

    /// The UTF-8 bytes of the text in a shared buffer.
    fn into_payload(self) -> Utf8Bytes;
}

impl BinaryPayload for &[u8] {
    fn as_payload(&self) -> &[u8] {
        self
    }

    fn into_payload(self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}

impl<const N: usize> BinaryPayload for &[u8; N] {
    fn as_payload(&self) -> &[u8] {
        &self[..]
    }

    fn into_payload(self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}

impl BinaryPayload for Vec<u8> {
    fn as_payload(&self) -> &[u8] {
        self
    }

    fn into_payload(self) -> Bytes {
        self.into()
    }
}

impl BinaryPayload for &Vec<u8> {
    fn as_payload(&self) -> &[u8] {
        self
    }

    fn into_payload(self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}

impl BinaryPayload for Box<[u8]> {
    fn as_payload(&self) -> &[u8] {
        self
    }

    fn into_payload(self) -> Bytes {
        self.into()
    }
}

impl BinaryPayload for Cow<'_, [u8]> {
    fn as_payload(&self) -> &[u8] {
        self
    }

    fn into_payload(self) -> Bytes {
        self.into_owned().into()
    }
}

impl BinaryPayload for BytesMut {
    fn as_payload(&self) -> &[u8] {
        self
    }

    fn into_payload(self) -> Bytes {
        self.freeze()
    }
}

impl BinaryPayload for Bytes {
    fn as_payload(&self) -> &[u8] {
        self
    }

    fn into_payload(self) -> Bytes {
        self
    }
}

impl TextPayload for &str {
    fn as_payload(&self) -> &[u8] {
        self.as_bytes()
    }

    fn into_payload(self) -> Utf8Bytes {
        self.into()
    }
}

impl TextPayload for String {
    fn as_payload(&self) -> &[u8] {
        self.as_bytes()
    }

    fn into_payload(self) -> Utf8Bytes {
        self.into()
    }
}

impl TextPayload for &String {
    fn as_payload(&self) -> &[u8] {
        self.as_bytes()
    }

    fn into_payload(self) -> Utf8Bytes {
        self.as_str().into()
    }
}

impl TextPayload for Cow<'_, str> {
    fn as_payload(&self) -> &[u8] {
        self.as_bytes()
    }

    fn into_payload(self) -> Utf8Bytes {
        self.into_owned().into()
    }
}

impl TextPayload for Utf8Bytes {
    fn as_payload(&self) -> &[u8] {
        self.as_bytes()
    }

    fn into_payload(self) -> Utf8Bytes {
        self
    }
}

/// Who implements the traits above: nobody outside of this crate.
#[expect(unnameable_types, reason = "that is what seals the traits")]
mod sealed {
    use super::{Bytes, BytesMut, Cow, Utf8Bytes};

    pub trait Binary {}

    pub trait Text {}

    impl Binary for &[u8] {}
    impl<const N: usize> Binary for &[u8; N] {}
    impl Binary for Vec<u8> {}
    impl Binary for &Vec<u8> {}
    impl Binary for Box<[u8]> {}
    impl Binary for Cow<'_, [u8]> {}
    impl Binary for BytesMut {}
    impl Binary for Bytes {}
    impl Text for &str {}
    impl Text for String {}
    impl Text for &String {}
    impl Text for Cow<'_, str> {}
    impl Text for Utf8Bytes {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(payload: impl BinaryPayload) -> (Vec<u8>, Bytes) {
        (payload.as_payload().to_vec(), payload.into_payload())
    }

    fn both_text(payload: impl TextPayload) -> (Vec<u8>, Utf8Bytes) {
        (payload.as_payload().to_vec(), payload.into_payload())
    }

    #[test]
    fn borrowed_and_owned_payloads_are_the_same_bytes() {
        let expected = (b"abc".to_vec(), Bytes::from_static(b"abc"));
        assert_eq!(both(b"abc"), expected);
        assert_eq!(both(&b"abc"[..]), expected);
        assert_eq!(both(b"abc".to_vec()), expected);
        let (bytes, text) = (b"abc".to_vec(), String::from("abc"));
        assert_eq!(both(&bytes), expected);
        assert_eq!(both(Box::<[u8]>::from(&b"abc"[..])), expected);
        assert_eq!(both(Cow::Borrowed(&b"abc"[..])), expected);
        assert_eq!(both(BytesMut::from(&b"abc"[..])), expected);
        assert_eq!(both(Bytes::from_static(b"abc")), expected);
        let expected = (b"abc".to_vec(), Utf8Bytes::from_static("abc"));
        assert_eq!(both_text("abc"), expected);
        assert_eq!(both_text(String::from("abc")), expected);
        assert_eq!(both_text(&text), expected);
        assert_eq!(both_text(Cow::Borrowed("abc")), expected);
        assert_eq!(both_text(Utf8Bytes::from_static("abc")), expected);
    }
}
