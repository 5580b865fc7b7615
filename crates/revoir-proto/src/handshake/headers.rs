//! [`Headers`]: the header fields of a request or a response.

use std::error::Error;
use std::fmt;

use crate::token_list::{is_token, trim};

/// Header fields in their order, duplicates included. Names compare without regard to case.
///
/// A name is always a token and a value never holds a CR, LF, NUL or other control character but
/// the tab (RFC 9110 section 5.5), so that what is written from here is what was meant.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    fields: Vec<Field>,
}

#[derive(Clone, PartialEq, Eq)]
struct Field {
    name: Box<str>,
    value: Box<[u8]>,
}

impl Headers {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self { fields: Vec::new() }
    }

    /// Adds a field at the end. Spaces and tabs around `value` are left out.
    ///
    /// # Errors
    ///
    /// [`InvalidHeader`] if `name` is not a token or `value` has a byte that may not stand in one.
    pub fn push(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidHeader> {
        if !is_token(name.as_bytes()) {
            return Err(InvalidHeader::Name {
                got: name.to_owned(),
            });
        }
        let value = trim(value.as_ref());
        if let Some(byte) = value.iter().find(|byte| !is_value_byte(**byte)) {
            return Err(InvalidHeader::Value {
                name: name.to_owned(),
                byte: *byte,
            });
        }
        self.fields.push(Field {
            name: name.into(),
            value: value.into(),
        });
        Ok(())
    }

    /// The value of the first field called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.get_all(name).next()
    }

    /// The value of the first field called `name`, if it is UTF-8.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?).ok()
    }

    /// The values of all fields called `name`, in order.
    pub fn get_all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
            .map(|field| &*field.value)
    }

    /// All fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields
            .iter()
            .map(|field| (&*field.name, &*field.value))
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are no fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Appends the fields as they stand in a head, each with its CRLF.
    pub(super) fn write(&self, head: &mut Vec<u8>) {
        for (name, value) in self.iter() {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
    }
}

/// Logs are no place for what lets somebody in.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SECRET: [&str; 5] = [
            "authorization",
            "cookie",
            "proxy-authorization",
            "sec-websocket-protocol",
            "set-cookie",
        ];
        let text = |(name, value): (&'_ str, &'_ [u8])| {
            let is_secret = SECRET
                .iter()
                .any(|secret| name.eq_ignore_ascii_case(secret));
            let value = if is_secret { b"..." } else { value };
            (name.to_owned(), String::from_utf8_lossy(value).into_owned())
        };
        f.debug_map().entries(self.iter().map(text)).finish()
    }
}

/// Whether `byte` may stand in a field value (RFC 9110 section 5.5): visible ASCII, space, tab and
/// bytes above ASCII.
fn is_value_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// A header field that must not be written: the caller's mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidHeader {
    /// The name is not a token.
    Name {
        /// The name.
        got: String,
    },
    /// The value has a control character.
    Value {
        /// The name of the field.
        name: String,
        /// The first byte that may not stand in a value.
        byte: u8,
    },
}

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { got } => write!(f, "got header name {got:?}, expected a token"),
            Self::Value { name, byte } => write!(
                f,
                "got byte {byte:#04x} in the value of header {name}, expected no control characters"
            ),
        }
    }
}

impl Error for InvalidHeader {}

/// The first value of `name` as text.
pub(super) fn text(headers: &Headers, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_breaks_a_line_can_be_pushed() {
        let mut headers = Headers::new();
        for name in ["", "a b", "a:", "a\r\nb", "a\0", "é"] {
            assert!(headers.push(name, "x").is_err(), "{name:?}");
        }
        for value in ["a\r\nb: c", "a\nb", "a\rb", "a\0", "\x7f", "\x01"] {
            assert!(headers.push("a", value).is_err(), "{value:?}");
        }
        assert!(headers.is_empty());
    }

    #[test]
    fn names_compare_without_case_and_values_lose_outer_whitespace() {
        let mut headers = Headers::new();
        headers.push("X-A", " 1\t").unwrap();
        headers.push("x-b", "").unwrap();
        headers.push("x-a", b"\xff 2").unwrap();
        assert_eq!(headers.get("x-A"), Some(b"1" as &[u8]));
        assert_eq!(headers.get_all("X-a").nth(1), Some(b"\xff 2" as &[u8]));
        assert_eq!(headers.get_str("X-B"), Some(""));
        assert_eq!((headers.len(), headers.get("x-c")), (3, None));
    }

    #[test]
    fn debug_output_hides_credentials() {
        let mut headers = Headers::new();
        headers.push("Cookie", "session=1").unwrap();
        headers.push("X-A", "1").unwrap();
        assert_eq!(format!("{headers:?}"), r#"{"Cookie": "...", "X-A": "1"}"#);
    }
}
