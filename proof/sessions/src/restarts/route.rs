//! [`Route`]: the routes of the gateway.

/// How sessions of a route are kept, and what becomes of them by rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Held, acknowledgements wait.
    Acks,
    /// Held, messages wait as well.
    BeforeSend,
    /// Its backend is for one connection.
    Tunnel,
}

impl Route {
    pub(super) const ALL: [Self; 3] = [Self::Acks, Self::BeforeSend, Self::Tunnel];

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Acks => "/acks",
            Self::BeforeSend => "/before-send",
            Self::Tunnel => "/tunnel",
        }
    }

    pub(super) const fn verdict(self) -> &'static str {
        match self {
            Self::Acks | Self::BeforeSend => "resumed",
            Self::Tunnel => "fresh:backend",
        }
    }

    pub(super) fn config(self, backend: std::net::SocketAddr) -> String {
        let (mode, durable) = match self {
            Self::Acks => ("hold", "acks"),
            Self::BeforeSend => ("hold", "before-send"),
            Self::Tunnel => ("tunnel", "acks"),
        };
        format!(
            "[[route]]\npath = \"{}\"\nmode = \"{mode}\"\nupstreams = [\"ws://{backend}\"]\n\
             [route.session]\nprincipal = \"none\"\ndurable = \"{durable}\"\n",
            self.path()
        )
    }
}
