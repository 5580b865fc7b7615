//! [`Treatment`]: how one connection is treated, and who said so.

use std::fmt;

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
}

/// Why a connection is not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelCause {
    /// The configuration, for all connections of the route.
    Operator,
    /// The backend, with `Revoir-Hold: no`.
    Backend,
    /// Nobody said that it may be held.
    Nobody,
    /// It may be held, but a compressed message may refer to an earlier one, which a new backend
    /// has not seen (RFC 7692 section 7.1.1).
    Extensions,
}

impl Treatment {
    /// Of a connection on a route in `mode`. `backend`: what the backend said of it, if it did.
    /// `stands_alone`: whether its messages mean the same on another connection.
    pub(crate) const fn new(mode: Mode, backend: Option<bool>, stands_alone: bool) -> Self {
        match (mode, backend) {
            (Mode::Hold, _) => Self::Hold(HeldBy::Operator),
            (Mode::Tunnel, _) => Self::Tunnel(TunnelCause::Operator),
            (Mode::Auto, None) => Self::Tunnel(TunnelCause::Nobody),
            (Mode::Auto, Some(false)) => Self::Tunnel(TunnelCause::Backend),
            (Mode::Auto, Some(true)) if stands_alone => Self::Hold(HeldBy::Backend),
            (Mode::Auto, Some(true)) => Self::Tunnel(TunnelCause::Extensions),
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
            Self::Tunnel(TunnelCause::Nobody) => "nobody",
            Self::Tunnel(TunnelCause::Extensions) => "extensions",
        }
    }
}

/// A sentence without a full stop.
impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hold(HeldBy::Operator) => "held because the operator said so",
            Self::Hold(HeldBy::Backend) => "held because the backend said so",
            Self::Tunnel(TunnelCause::Operator) => "tunnel because the operator said so",
            Self::Tunnel(TunnelCause::Backend) => "tunnel because the backend said so",
            Self::Tunnel(TunnelCause::Nobody) => "tunnel: nobody said that it may be held",
            Self::Tunnel(TunnelCause::Extensions) => {
                "tunnel: the backend allows a hold, but its compressed messages may refer to earlier ones"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_goes_before_the_backend_and_silence_is_a_tunnel() {
        let said = |mode, backend| Treatment::new(mode, backend, true);
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
        let treatment = Treatment::new(Mode::Auto, Some(true), false);
        assert_eq!(treatment, Treatment::Tunnel(TunnelCause::Extensions));
    }
}
