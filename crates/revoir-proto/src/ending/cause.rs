//! [`Cause`] and [`CauseKind`], [`Finish`] and [`Initiator`]: the vocabulary of an ending.

use revoir_codes::SendCode;

use crate::error::ProtocolError;

/// The table: of each cause its name, its identifier, whether the connection was open, and its kind.
macro_rules! causes {
    ($($(#[$doc:meta])* $cause:ident = $id:literal, $open:ident, $kind:expr;)*) => {
        /// What began an ending. The order is the one of the table in `docs/endings.md`, and means nothing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Cause {
            $($(#[$doc])* $cause,)*
        }

        impl Cause {
            /// All causes.
            pub const ALL: &'static [Self] = &[$(Self::$cause,)*];

            /// A stable identifier in kebab case.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Self::$cause => $id,)*
                }
            }

            /// Whether the connection was open before it ended.
            #[must_use]
            pub const fn was_open(self) -> bool {
                match self {
                    $(Self::$cause => causes!(@ $open),)*
                }
            }

            /// What the cause is to whoever asks what to do next.
            #[must_use]
            pub const fn kind(self) -> CauseKind {
                match self {
                    $(Self::$cause => $kind,)*
                }
            }
        }
    };
    (@ opened) => { true };
    (@ never) => { false };
}

causes! {
    /// A Close frame from the peer.
    ClosedByPeer = "closed-by-peer", opened, CauseKind::Code;
    /// `close` by the application.
    ClosedLocally = "closed-locally", opened, CauseKind::Own;
    /// The server's drain.
    Drained = "drained", opened, CauseKind::Own;
    /// Every handle of the connection was dropped without a close.
    Dropped = "dropped", opened, CauseKind::Own;
    /// The application's handler panicked or returned an error.
    HandlerFailed = "handler-failed", opened, CauseKind::Failed(SendCode::INTERNAL_ERROR);
    /// The TCP stream ended without a Close frame.
    Eof = "eof", opened, CauseKind::Code;
    /// TCP was reset, or another read error.
    Reset = "reset", opened, CauseKind::Code;
    /// TLS ended without a close_notify alert.
    TlsTruncated = "tls-truncated", opened, CauseKind::Code;
    /// No byte came for the limit after a ping was written.
    PongTimeout = "pong-timeout", opened, CauseKind::Failed(SendCode::TIMEOUT);
    /// No message came or went within the application's limit.
    IdleTimeout = "idle-timeout", opened, CauseKind::Failed(SendCode::GOING_AWAY);
    /// The peer took no bytes for the limit.
    WriteTimeout = "write-timeout", opened, CauseKind::Code;
    /// A write error.
    WriteFailed = "write-failed", opened, CauseKind::Code;
    /// The peer broke a rule.
    ProtocolError = "protocol-error", opened, CauseKind::Failed(SendCode::PROTOCOL_ERROR);
    /// Text or a Close reason that is not UTF-8.
    InvalidData = "invalid-data", opened, CauseKind::Failed(SendCode::INVALID_FRAME_PAYLOAD_DATA);
    /// A message over the limit.
    MessageTooBig = "message-too-big", opened, CauseKind::Failed(SendCode::MESSAGE_TOO_BIG);
    /// Never opened: the name could not be resolved.
    Dns = "dns", never, CauseKind::NotOpened;
    /// Never opened: TCP was refused.
    Refused = "refused", never, CauseKind::NotOpened;
    /// Never opened: no route to the host.
    Unreachable = "unreachable", never, CauseKind::NotOpened;
    /// Never opened: TCP took too long.
    ConnectTimeout = "connect-timeout", never, CauseKind::NotOpened;
    /// Never opened: the TLS handshake failed.
    TlsFailed = "tls-failed", never, CauseKind::Code;
    /// Never opened: the server answered with another HTTP status than 101.
    HandshakeRejected = "handshake-rejected", never, CauseKind::NotOpened;
    /// Never opened: the opening handshake broke a rule.
    HandshakeInvalid = "handshake-invalid", never, CauseKind::NotOpened;
    /// Never opened: the TCP stream ended inside the opening handshake.
    HandshakeEof = "handshake-eof", never, CauseKind::NotOpened;
    /// Never opened: TCP was reset inside the opening handshake.
    HandshakeReset = "handshake-reset", never, CauseKind::NotOpened;
    /// Never opened: the opening handshake took too long.
    HandshakeTimeout = "handshake-timeout", never, CauseKind::NotOpened;
}

/// What a [`Cause`] is to whoever asks what to do next. Every cause is of one kind, a new one too, so that a
/// policy is complete with a rule for each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CauseKind {
    /// The code of the ending says all there is to say: the peer's, or 1006 or 1015.
    Code,
    /// This endpoint wanted the end.
    Own,
    /// This endpoint found something wrong, and closed with this code if it still could.
    Failed(SendCode),
    /// The connection did not come to be; the cause says more than the code, which is 1006.
    NotOpened,
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
    /// The budget was over; after a ping that was not answered it is next to nothing.
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
    fn a_connection_that_did_not_come_to_be_was_not_open_and_no_other_lacks_a_kind_of_its_own() {
        for cause in Cause::ALL.iter().copied() {
            match cause.kind() {
                CauseKind::NotOpened => assert!(!cause.was_open(), "{cause:?}"),
                CauseKind::Own | CauseKind::Failed(_) => assert!(cause.was_open(), "{cause:?}"),
                CauseKind::Code => {}
            }
        }
    }

    #[test]
    fn a_rule_is_answered_with_the_code_of_its_cause() {
        for code in [1002, 1007, 1009].map(|code| SendCode::try_from(code).unwrap()) {
            let kinds = Cause::ALL.iter().map(|cause| cause.kind());
            let with_code = kinds.filter(|kind| *kind == CauseKind::Failed(code));
            assert_eq!(with_code.count(), 1, "{code}");
        }
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
