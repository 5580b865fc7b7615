//! [`DetailKind`]: what a detail is about.

use crate::ending::TlsFault;

/// What a [`Detail`](crate::Detail) is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DetailKind {
    /// A rule that the peer broke.
    Rule,
    /// An opening handshake that was no sound HTTP.
    Garbled,
    /// Another rule of the opening handshake.
    Handshake,
    /// An error number of the operating system.
    Os,
    /// An address, or whatever else the driver knows.
    Text,
    /// A proxy, before there was a way to the server.
    Proxy,
    /// A TLS handshake.
    Tls(TlsFault),
}

impl DetailKind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        let others = [
            Self::Rule,
            Self::Garbled,
            Self::Handshake,
            Self::Os,
            Self::Text,
            Self::Proxy,
        ];
        let faults = TlsFault::ALL.iter().copied().map(Self::Tls);
        others.into_iter().chain(faults)
    }

    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Garbled => "garbled",
            Self::Handshake => "handshake",
            Self::Os => "os",
            Self::Text => "text",
            Self::Proxy => "proxy",
            Self::Tls(fault) => fault.id(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_their_own() {
        let mut ids: Vec<&str> = DetailKind::all().map(DetailKind::id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
