//! [`Granted`]: what a request has that may pass.

use hyper::HeaderMap;
use hyper::header::HeaderName;

use crate::front::headers::is_twin_of;

/// What a request has that may pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Granted {
    /// Whether or not the hook gave them, these are its own.
    pub(super) names: Vec<HeaderName>,
    pub(super) fields: HeaderMap,
}

impl Granted {
    /// Puts the fields of the hook into a request that is about to go to a backend, in the place of
    /// what the client calls so.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let is_ours = |name: &HeaderName| self.names.iter().any(|own| is_twin_of(name, own));
        let claimed: Vec<_> = headers
            .keys()
            .filter(|name| is_ours(name))
            .cloned()
            .collect();
        for name in claimed {
            headers.remove(name);
        }
        for (name, value) in &self.fields {
            headers.append(name, value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn a_client_cannot_set_what_the_hook_says() {
        let value = HeaderValue::from_static;
        let name = HeaderName::from_static;
        let mut headers = HeaderMap::from_iter([
            (name("x-user"), value("root")),
            (name("x_user"), value("root")),
            (name("x.user"), value("root")),
            (name("x-user-agent"), value("kept")),
        ]);
        let granted = |fields: HeaderMap| Granted {
            names: vec![name("x-user")],
            fields,
        };
        granted(HeaderMap::from_iter([(name("x-user"), value("ann"))])).write(&mut headers);
        assert_eq!(headers["x-user"], "ann");
        assert_eq!(headers["x-user-agent"], "kept");
        assert_eq!(headers.len(), 2);
        granted(HeaderMap::new()).write(&mut headers);
        assert_eq!(headers.len(), 1, "what the hook does not say, nobody says");
    }
}
