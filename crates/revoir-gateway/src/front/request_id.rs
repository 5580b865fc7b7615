//! The name of a request, by which logs on both sides of the gateway find each other.

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use revoir::reconnect::Entropy;

/// The field that it travels in, as nginx, HAProxy and Envoy have it by custom.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest that is taken from a proxy, in bytes.
const LONGEST: usize = 128;

/// The name of a request: that which a trusted proxy gave it, if it did, else a new one.
pub(super) fn of(headers: &HeaderMap, is_trusted: bool) -> Box<str> {
    let given = is_trusted.then(|| given(headers)).flatten();
    given.unwrap_or_else(|| {
        let id = u128::from_ne_bytes(Entropy::bytes());
        format!("{id:032x}").into()
    })
}

/// Tells whoever answers the request its name.
pub(super) fn write(headers: &mut HeaderMap, id: &str) {
    // It is a word of ASCII.
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// The name that a request has already: one word, once.
fn given(headers: &HeaderMap) -> Option<Box<str>> {
    let mut all = headers.get_all(REQUEST_ID).iter();
    let (id, None) = (all.next()?.to_str().ok()?, all.next()) else {
        return None;
    };
    let is_word = id.bytes().all(|byte| byte.is_ascii_graphic());
    (!id.is_empty() && id.len() <= LONGEST && is_word).then(|| id.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(ids: &[&str]) -> HeaderMap {
        let field = |id: &&str| (REQUEST_ID, HeaderValue::from_str(id).unwrap());
        ids.iter().map(field).collect()
    }

    #[test]
    fn only_the_word_of_a_trusted_proxy_is_taken() {
        assert_eq!(&*of(&headers(&["7f3a-1"]), true), "7f3a-1");
        let long = "x".repeat(LONGEST + 1);
        for (ids, is_trusted) in [
            (&["7f3a-1"][..], false),
            (&[], true),
            (&["a", "b"], true),
            (&["two words"], true),
            (&[""], true),
            (&[&*long], true),
        ] {
            let mut got = headers(ids);
            let id = of(&got, is_trusted);
            write(&mut got, &id);
            assert_eq!(id.len(), 32, "{ids:?}: {id}");
            assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
            assert_eq!(got, headers(&[&id]), "{ids:?}");
        }
        let none = HeaderMap::new();
        assert_ne!(of(&none, false), of(&none, false));
    }
}
