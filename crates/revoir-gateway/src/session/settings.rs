//! [`SessionSettings`]: what the sessions of a route are told.

use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use revoir::session::{Durable, Keys, Overflow, Principal, Window};

use crate::session::callback::CallbackSettings;
use crate::upstream::cookie;

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
    /// What waits for the store, if there is one.
    pub durable: Durable,
    /// What seals tokens. `None`: a key that is random for each process.
    pub keys: Option<Keys>,
    /// Whom to tell that a client is away, or back. `None`: nobody.
    pub callback: Option<CallbackSettings>,
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

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            principal: PrincipalOf::Nobody,
            ttl: Duration::from_secs(120),
            window: Window::DEFAULT,
            overflow: Overflow::Expire,
            durable: Durable::Acks,
            keys: None,
            callback: None,
        }
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
        let who = match self {
            Self::Nobody => None,
            Self::Authorization => request.get(AUTHORIZATION).map(HeaderValue::as_bytes),
            Self::Cookie(name) => cookie(request, name),
            Self::Hook(name) => granted.get(name).map(HeaderValue::as_bytes),
        };
        // No route has a NUL in its name, and who has nothing is nobody who has something.
        let mut name = route.as_bytes().to_vec();
        name.push(0);
        if let Some(who) = who {
            name.push(b'=');
            name.extend_from_slice(who);
        }
        Principal::of(name)
    }
}

#[cfg(test)]
mod tests {
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
}
