//! [`Treatment`]: how one connection is treated, and who said so.

use std::fmt;

use revoir_adapters::{Protocol, Unholdable};

use crate::rules::Mode;

/// How a connection is treated when its backend ends, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// The client stays while the backend is away.
    Hold(HeldBy),
    /// Frames pass; an ending is translated.
    Tunnel(TunnelCause),
}

/// Who said that a connection may be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBy {
    /// The configuration, for all connections of the route.
    Operator,
    /// The backend, with `Revoir-Hold: yes`.
    Backend,
    /// The adapter of this protocol, which can say its hello again.
    Protocol(Protocol),
}

/// Why a connection is not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelCause {
    /// The configuration, for all connections of the route.
    Operator,
    /// The backend, with `Revoir-Hold: no`.
    Backend,
    /// The adapter of the protocol, for this reason.
    Protocol(Unholdable),
    /// Nobody said that it may be held.
    Nobody,
    /// It may be held, but a compressed message may refer to an earlier one, which a new backend
    /// has not seen (RFC 7692 section 7.1.1).
    Extensions,
}

impl Treatment {
    /// Of a connection on a route in `mode`. `backend`: what the backend said of it, if it did.
    /// `adapter`: what the adapter of its protocol says, if it has one. `stands_alone`: whether its
    /// messages mean the same on another connection.
    pub(crate) const fn new(
        mode: Mode,
        backend: Option<bool>,
        adapter: Option<Result<Protocol, Unholdable>>,
        stands_alone: bool,
    ) -> Self {
        let held_by = match (mode, backend, adapter) {
            (Mode::Hold, ..) => return Self::Hold(HeldBy::Operator),
            (Mode::Tunnel, ..) => return Self::Tunnel(TunnelCause::Operator),
            (Mode::Auto, Some(false), _) => return Self::Tunnel(TunnelCause::Backend),
            (Mode::Auto, Some(true), _) => HeldBy::Backend,
            (Mode::Auto, None, Some(Ok(protocol))) => HeldBy::Protocol(protocol),
            (Mode::Auto, None, Some(Err(why))) => return Self::Tunnel(TunnelCause::Protocol(why)),
            (Mode::Auto, None, None) => return Self::Tunnel(TunnelCause::Nobody),
        };
        match stands_alone {
            true => Self::Hold(held_by),
            false => Self::Tunnel(TunnelCause::Extensions),
        }
    }

    /// Whether the client stays while the backend is away.
    pub const fn is_hold(self) -> bool {
        matches!(self, Self::Hold(_))
    }

    /// `hold` or `tunnel`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Hold(_) => "hold",
            Self::Tunnel(_) => "tunnel",
        }
    }

    /// Who or what decided, as a stable identifier in kebab case.
    pub const fn by(self) -> &'static str {
        match self {
            Self::Hold(HeldBy::Operator) | Self::Tunnel(TunnelCause::Operator) => "operator",
            Self::Hold(HeldBy::Backend) | Self::Tunnel(TunnelCause::Backend) => "backend",
            Self::Hold(HeldBy::Protocol(_)) | Self::Tunnel(TunnelCause::Protocol(_)) => "protocol",
            Self::Tunnel(TunnelCause::Nobody) => "nobody",
            Self::Tunnel(TunnelCause::Extensions) => "extensions",
        }
    }
}

/// A sentence without a full stop.
impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hold(HeldBy::Protocol(protocol)) => {
                return write!(f, "held because {protocol} can be said again");
            }
            Self::Tunnel(TunnelCause::Protocol(why)) => return write!(f, "tunnel: {why}"),
            Self::Hold(HeldBy::Operator) => "held because the operator said so",
            Self::Hold(HeldBy::Backend) => "held because the backend said so",
            Self::Tunnel(TunnelCause::Operator) => "tunnel because the operator said so",
            Self::Tunnel(TunnelCause::Backend) => "tunnel because the backend said so",
            Self::Tunnel(TunnelCause::Nobody) => "tunnel: nobody said that it may be held",
            Self::Tunnel(TunnelCause::Extensions) => {
                "tunnel: it might be held, but its compressed messages may refer to earlier ones"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_goes_before_the_backend_and_silence_is_a_tunnel() {
        let said = |mode, backend| Treatment::new(mode, backend, None, true);
        for backend in [None, Some(false), Some(true)] {
            let hold = Treatment::Hold(HeldBy::Operator);
            assert_eq!(said(Mode::Hold, backend), hold);
            let tunnel = Treatment::Tunnel(TunnelCause::Operator);
            assert_eq!(said(Mode::Tunnel, backend), tunnel);
        }
        let nobody = Treatment::Tunnel(TunnelCause::Nobody);
        assert_eq!(said(Mode::Auto, None), nobody);
        let no = Treatment::Tunnel(TunnelCause::Backend);
        assert_eq!(said(Mode::Auto, Some(false)), no);
        let yes = Treatment::Hold(HeldBy::Backend);
        assert_eq!(said(Mode::Auto, Some(true)), yes);
    }

    #[test]
    fn what_refers_to_earlier_messages_is_not_held_on_the_word_of_the_backend() {
        let treatment = Treatment::new(Mode::Auto, Some(true), None, false);
        assert_eq!(treatment, Treatment::Tunnel(TunnelCause::Extensions));
    }

    #[test]
    fn an_adapter_speaks_where_neither_operator_nor_backend_does() {
        let said = |mode, backend, adapter| Treatment::new(mode, backend, Some(adapter), true);
        let protocol = Protocol::SocketIo;
        let held = Treatment::Hold(HeldBy::Protocol(protocol));
        assert_eq!(said(Mode::Auto, None, Ok(protocol)), held);
        let why = Unholdable::forever("it cannot");
        let tunnel = Treatment::Tunnel(TunnelCause::Protocol(why));
        assert_eq!(said(Mode::Auto, None, Err(why)), tunnel);
        assert_eq!(tunnel.to_string(), "tunnel: it cannot");
        let by_backend = Treatment::Hold(HeldBy::Backend);
        assert_eq!(said(Mode::Auto, Some(true), Ok(protocol)), by_backend);
        let by_operator = Treatment::Hold(HeldBy::Operator);
        assert_eq!(said(Mode::Hold, None, Ok(protocol)), by_operator);
    }
}
