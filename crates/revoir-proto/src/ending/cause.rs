//! [`Cause`], [`Finish`] and [`Initiator`]: the vocabulary of an ending.

use revoir_codes::SendCode;

use crate::error::ProtocolError;

/// What began an ending. The order is the one of the table in `docs/endings.md`, and means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// A Close frame from the peer.
    ClosedByPeer,
    /// `close` by the application.
    ClosedLocally,
    /// The server's drain.
    Drained,
    /// Every handle of the connection was dropped without a close.
    Dropped,
    /// The application's handler panicked or returned an error.
    HandlerFailed,
    /// The TCP stream ended without a Close frame.
    Eof,
    /// TCP was reset, or another read error.
    Reset,
    /// TLS ended without a close_notify alert.
    TlsTruncated,
    /// No byte came for the limit after a ping was written.
    PongTimeout,
    /// No message came or went within the application's limit.
    IdleTimeout,
    /// The peer took no bytes for the limit.
    WriteTimeout,
    /// A write error.
    WriteFailed,
    /// The peer broke a rule.
    ProtocolError,
    /// Text or a Close reason that is not UTF-8.
    InvalidData,
    /// A message over the limit.
    MessageTooBig,
    /// Never opened: the name could not be resolved.
    Dns,
    /// Never opened: TCP was refused.
    Refused,
    /// Never opened: no route to the host.
    Unreachable,
    /// Never opened: TCP took too long.
    ConnectTimeout,
    /// Never opened: the TLS handshake failed.
    TlsFailed,
    /// Never opened: the server answered with another HTTP status than 101.
    HandshakeRejected,
    /// Never opened: the opening handshake broke a rule.
    HandshakeInvalid,
    /// Never opened: the TCP stream ended inside the opening handshake.
    HandshakeEof,
    /// Never opened: TCP was reset inside the opening handshake.
    HandshakeReset,
    /// Never opened: the opening handshake took too long.
    HandshakeTimeout,
}

impl Cause {
    /// All causes.
    pub const ALL: &'static [Self] = &[
        Self::ClosedByPeer,
        Self::ClosedLocally,
        Self::Drained,
        Self::Dropped,
        Self::HandlerFailed,
        Self::Eof,
        Self::Reset,
        Self::TlsTruncated,
        Self::PongTimeout,
        Self::IdleTimeout,
        Self::WriteTimeout,
        Self::WriteFailed,
        Self::ProtocolError,
        Self::InvalidData,
        Self::MessageTooBig,
        Self::Dns,
        Self::Refused,
        Self::Unreachable,
        Self::ConnectTimeout,
        Self::TlsFailed,
        Self::HandshakeRejected,
        Self::HandshakeInvalid,
        Self::HandshakeEof,
        Self::HandshakeReset,
        Self::HandshakeTimeout,
    ];

    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::ClosedByPeer => "closed-by-peer",
            Self::ClosedLocally => "closed-locally",
            Self::Drained => "drained",
            Self::Dropped => "dropped",
            Self::HandlerFailed => "handler-failed",
            Self::Eof => "eof",
            Self::Reset => "reset",
            Self::TlsTruncated => "tls-truncated",
            Self::PongTimeout => "pong-timeout",
            Self::IdleTimeout => "idle-timeout",
            Self::WriteTimeout => "write-timeout",
            Self::WriteFailed => "write-failed",
            Self::ProtocolError => "protocol-error",
            Self::InvalidData => "invalid-data",
            Self::MessageTooBig => "message-too-big",
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::ConnectTimeout => "connect-timeout",
            Self::TlsFailed => "tls-failed",
            Self::HandshakeRejected => "handshake-rejected",
            Self::HandshakeInvalid => "handshake-invalid",
            Self::HandshakeEof => "handshake-eof",
            Self::HandshakeReset => "handshake-reset",
            Self::HandshakeTimeout => "handshake-timeout",
        }
    }

    /// Whether the connection was open before it ended.
    #[must_use]
    pub const fn was_open(self) -> bool {
        !matches!(
            self,
            Self::Dns
                | Self::Refused
                | Self::Unreachable
                | Self::ConnectTimeout
                | Self::TlsFailed
                | Self::HandshakeRejected
                | Self::HandshakeInvalid
                | Self::HandshakeEof
                | Self::HandshakeReset
                | Self::HandshakeTimeout
        )
    }
}

impl ProtocolError {
    /// The cause of an ending that begins with this violation.
    #[must_use]
    pub const fn cause(self) -> Cause {
        // The code groups the rules; the cause is the name of the group.
        match self.close_code() {
            SendCode::INVALID_FRAME_PAYLOAD_DATA => Cause::InvalidData,
            SendCode::MESSAGE_TOO_BIG => Cause::MessageTooBig,
            _ => Cause::ProtocolError,
        }
    }
}

/// How an ending finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Finish {
    /// Both Close frames were exchanged.
    Answered,
    /// The budget was over.
    Timeout,
    /// The peer's TCP stream ended.
    Eof,
    /// TCP was reset, or given up by us.
    Reset,
    /// The connection was never open.
    None,
}

impl Finish {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Timeout => "timeout",
            Self::Eof => "eof",
            Self::Reset => "reset",
            Self::None => "none",
        }
    }
}

/// Who began the closing handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Initiator {
    /// This endpoint.
    Local,
    /// The peer.
    Remote,
}

impl Initiator {
    /// A stable identifier in kebab case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Remote => "remote",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_kebab_case_and_their_own() {
        let mut ids: Vec<&str> = Cause::ALL.iter().copied().map(Cause::id).collect();
        ids.extend([Initiator::Local, Initiator::Remote].map(Initiator::id));
        assert!(
            ids.iter()
                .all(|id| id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
        );
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Cause::ALL.len() + 2);
        let finishes = [
            Finish::Answered,
            Finish::Timeout,
            Finish::Eof,
            Finish::Reset,
            Finish::None,
        ];
        assert_eq!(
            finishes.map(Finish::id),
            ["answered", "timeout", "eof", "reset", "none"]
        );
    }

    #[test]
    fn ten_causes_mean_that_the_connection_never_opened() {
        assert_eq!(
            Cause::ALL
                .iter()
                .copied()
                .filter(|cause| !cause.was_open())
                .count(),
            10
        );
    }
}
