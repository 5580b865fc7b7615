//! [`Subject`]: what the rules look at in an ending.

use revoir_proto::{Cause, CauseKind, CloseCode, DetailKind, Ending};

/// What an ending is to the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The peer's code, or 1006 or 1015 for what ended without one.
    Code(CloseCode),
    /// The HTTP status of a refused handshake.
    Status(u16),
    /// The HTTP status of a proxy that opened no way to the server; 0 if it refused without one.
    Proxy(u16),
    /// A cause that says more than the code of the ending.
    Cause(Cause),
}

impl Subject {
    pub(super) fn of(ending: &Ending) -> Self {
        let cause = ending.cause;
        match cause.kind() {
            CauseKind::Code => Self::Code(ending.code()),
            CauseKind::NotOpened if cause == Cause::HandshakeRejected => {
                let status = ending.response.as_ref().map(|refused| refused.status);
                let is_of_proxy = ending.detail.kind() == Some(DetailKind::Proxy);
                match (status, is_of_proxy) {
                    (status, true) => Self::Proxy(status.unwrap_or(0)),
                    (Some(status), false) => Self::Status(status),
                    (None, false) => Self::Cause(cause),
                }
            }
            CauseKind::Own | CauseKind::Failed(_) | CauseKind::NotOpened => Self::Cause(cause),
        }
    }

    /// A number of its own for each subject: statuses end below the codes in use, causes below the
    /// statuses, and those of proxies lie behind the codes.
    pub(super) const fn key(self) -> u16 {
        match self {
            Self::Code(code) => code.get(),
            Self::Status(status) => status,
            Self::Proxy(status) => 5000 + status,
            Self::Cause(cause) => cause as u16,
        }
    }
}
