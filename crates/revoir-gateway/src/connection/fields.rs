//! [`Fields`]: header fields in little memory.

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

/// Header fields in little memory: a map keeps a hash table, and the buffer that it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Fields(Box<[u8]>);

impl Fields {
    pub(crate) fn pack(headers: &HeaderMap) -> Self {
        let mut packed = Vec::new();
        for (name, value) in headers {
            packed.extend_from_slice(name.as_ref());
            packed.push(b':');
            packed.extend_from_slice(value.as_bytes());
            // No value has one.
            packed.push(b'\n');
        }
        Self(packed.into())
    }

    /// In bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn unpack(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in self.0.split(|byte| *byte == b'\n') {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else {
                continue;
            };
            let name = HeaderName::from_bytes(&line[..colon]);
            let value = HeaderValue::from_bytes(&line[colon + 1..]);
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::try_from(*value).unwrap(),
            );
        }
        headers
    }

    #[test]
    fn packed_fields_come_back_in_their_order() {
        let fields = headers(&[
            ("Host", "a.example"),
            ("Cookie", "a=b:c"),
            ("X-Empty", ""),
            ("Cookie", "d"),
        ]);
        let packed = Fields::pack(&fields);
        assert_eq!(packed.unpack(), fields);
        assert_eq!(packed.0.len(), 14 + 1 + 13 + 1 + 9 + 8);
        assert!(Fields::pack(&HeaderMap::new()).unpack().is_empty());
    }
}
