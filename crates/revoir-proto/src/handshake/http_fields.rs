//! [`Headers`] from and to the crate `http`.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::headers::Headers;

/// The same fields: names in lower case, and the order kept among fields of one name. Both keep to
/// RFC 9110; a map holds 24,576 names, and what is beyond is left out.
impl From<&Headers> for HeaderMap {
    fn from(headers: &Headers) -> Self {
        let mut map = Self::new();
        for (name, value) in headers.iter() {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_bytes(value);
            if let (Ok(name), Ok(value)) = (name, value)
                && map.try_append(name, value).is_err()
            {
                break;
            }
        }
        map
    }
}

/// The same fields.
impl From<&HeaderMap> for Headers {
    fn from(map: &HeaderMap) -> Self {
        let mut headers = Self::new();
        for (name, value) in map {
            let pushed = headers.push(name.as_str(), value.as_bytes());
            debug_assert!(pushed.is_ok(), "it was a field before");
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_with_their_order_within_a_name() {
        let mut headers = Headers::new();
        for (name, value) in [("X-A", &b"1"[..]), ("Cookie", b"\xff\t1"), ("x-a", b"2")] {
            headers.push(name, value).unwrap();
        }
        let map = HeaderMap::from(&headers);
        let all: Vec<_> = map.get_all("x-a").iter().collect();
        assert_eq!(all, ["1", "2"]);
        let back = Headers::from(&map);
        assert_eq!(back.len(), 3);
        assert_eq!(back.get("cookie"), Some(&b"\xff\t1"[..]));
    }

    #[test]
    fn more_fields_than_a_map_holds_are_no_panic() {
        let mut headers = Headers::new();
        for number in 0..40_000 {
            headers.push(&format!("x-{number}"), "1").unwrap();
        }
        assert!(HeaderMap::from(&headers).len() > 20_000);
    }
}
