//! [`SessionSettings`]: what the sessions of a route are told.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, COOKIE, HeaderName};
use revoir::session::{Keys, Overflow, Principal, Window, read_keys};

/// What the sessions of a route are told.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSettings {
    /// Whose sessions they are.
    pub principal: PrincipalOf,
    /// For how long a session outlives its connection at most.
    pub ttl: Duration,
    /// What is kept at most of what a client has not acknowledged.
    pub window: Window,
    /// What becomes of what a backend sends to a client that is away, when that is full.
    pub overflow: Overflow,
    /// What seals tokens. `None`: a key that is random for each process.
    pub keys: Option<TokenKeys>,
}

/// Whose a session is: who comes with its token has to be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalOf {
    /// Whoever has the token.
    Nobody,
    /// Who has the same `Authorization`.
    Authorization,
    /// Who has the same value in this cookie.
    Cookie(String),
    /// Of whom the auth hook says the same in this field.
    Hook(HeaderName),
}

/// The keys of tokens.
#[derive(Clone)]
pub struct TokenKeys {
    keys: Keys,
    /// To see whether they are others.
    digest: Principal,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            principal: PrincipalOf::Nobody,
            ttl: Duration::from_secs(120),
            window: Window::DEFAULT,
            overflow: Overflow::Expire,
            keys: None,
        }
    }
}

impl TokenKeys {
    /// Those of a file, as [`read_keys`] says.
    ///
    /// # Errors
    ///
    /// As for [`read_keys`].
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(Self {
            keys: read_keys(path)?,
            digest: Principal::of(std::fs::read(path)?),
        })
    }

    pub(crate) const fn keys(&self) -> &Keys {
        &self.keys
    }
}

impl PartialEq for TokenKeys {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKeys").finish_non_exhaustive()
    }
}

impl PrincipalOf {
    /// Who asks for a session of `route`: of whom the hook has said `granted`, with these fields of the request. A token is
    /// good for its route alone.
    pub(crate) fn principal(
        &self,
        route: &str,
        granted: &HeaderMap,
        request: &HeaderMap,
    ) -> Principal {
        let field = |headers: &HeaderMap, name: &HeaderName| {
            headers.get(name).map(|value| value.as_bytes().to_vec())
        };
        let who = match self {
            Self::Nobody => None,
            Self::Authorization => field(request, &AUTHORIZATION),
            Self::Cookie(name) => cookie(request, name),
            Self::Hook(name) => field(granted, name),
        };
        // No route has a NUL in its name, and who has nothing is nobody who has something.
        let mut name = route.as_bytes().to_vec();
        name.push(0);
        if let Some(who) = who {
            name.push(b'=');
            name.extend_from_slice(&who);
        }
        Principal::of(name)
    }
}

/// The value of a cookie (RFC 6265 section 4.2.1), the first of that name.
fn cookie(headers: &HeaderMap, name: &str) -> Option<Vec<u8>> {
    let fields = headers.get_all(COOKIE).into_iter();
    let mut pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
    pairs.find_map(|pair| {
        let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
        value.strip_prefix(b"=").map(<[u8]>::to_vec)
    })
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn fields(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_principal_is_who_the_operator_says_on_this_route() {
        let none = HeaderMap::new();
        let ann = fields(&[("cookie", "a=b; sid=1"), ("authorization", "Bearer 1")]);
        let bob = fields(&[("cookie", "sid=2; a=b"), ("authorization", "Bearer 2")]);
        let of = |principal: &PrincipalOf, route: &str, request: &HeaderMap| {
            principal.principal(route, &none, request)
        };
        for named in [
            PrincipalOf::Authorization,
            PrincipalOf::Cookie("sid".to_owned()),
        ] {
            assert_eq!(of(&named, "/", &ann), of(&named, "/", &ann));
            assert_ne!(of(&named, "/", &ann), of(&named, "/", &bob));
            assert_ne!(of(&named, "/", &ann), of(&named, "/x", &ann));
            assert_ne!(of(&named, "/", &ann), of(&named, "/", &none));
        }
        let nobody = PrincipalOf::Nobody;
        assert_eq!(of(&nobody, "/", &ann), of(&nobody, "/", &bob));
        assert_ne!(of(&nobody, "/", &ann), of(&nobody, "/x", &ann));
        let hook = PrincipalOf::Hook(HeaderName::from_static("x-user"));
        let (is_ann, is_bob) = (fields(&[("x-user", "ann")]), fields(&[("x-user", "bob")]));
        assert_ne!(
            hook.principal("/", &is_ann, &none),
            hook.principal("/", &is_bob, &none)
        );
        // What the client says of itself is nothing.
        assert_eq!(
            hook.principal("/", &none, &is_ann),
            hook.principal("/", &none, &none)
        );
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let headers = fields(&[("cookie", "xsid=0; sid2=0;sid=1=2"), ("cookie", "sid=3")]);
        assert_eq!(cookie(&headers, "sid").unwrap(), b"1=2");
        assert_eq!(cookie(&headers, "si"), None);
    }
}
