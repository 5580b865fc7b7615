//! [`Origins`]: which web pages may connect (RFC 6455 sections 4.2.2 and 10.2).

/// The origins a server accepts from browsers.
///
/// Without a check, any web page a user visits can connect with the user's cookies. A request
/// without an Origin header does not come from a browser's page and is let through: it could
/// claim any origin anyway.
///
/// The default is the safe one: none but those that are named.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origins {
    /// Every origin.
    Any,
    /// Only these, each as a browser writes it: scheme, `://`, host, and the port unless it is the
    /// scheme's own; `null` for pages without an origin. Compared without regard to ASCII case.
    Only(Vec<String>),
}

impl Default for Origins {
    fn default() -> Self {
        Self::Only(Vec::new())
    }
}

impl Origins {
    /// Only the given origins.
    pub fn only(origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::Only(origins.into_iter().map(Into::into).collect())
    }

    /// Whether a page from `origin` may connect.
    #[must_use]
    pub fn allow(&self, origin: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Only(list) => list
                .iter()
                .any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(origin)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_compared_whole() {
        let origins = Origins::only(["https://example.com"]);
        assert!(origins.allow(b"https://example.com"));
        assert!(origins.allow(b"HTTPS://Example.com"));
        for other in [
            "http://example.com",
            "https://example.com:444",
            "https://example.com.evil.test",
            "https://sub.example.com",
            "null",
            "",
        ] {
            assert!(!origins.allow(other.as_bytes()), "{other:?}");
        }
        assert!(Origins::Any.allow(b"null"));
    }
}
