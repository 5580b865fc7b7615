//! What the table says of a subject, before randomness and history.

use revoir_codes::advice::DelayClass;
use revoir_codes::{Direction, advice};
use revoir_proto::{Cause, CauseKind, CloseCode, Detail, DetailKind, Ending};

use crate::reconnect::status;
use crate::reconnect::subject::Subject;
use crate::reconnect::verdict::Verdict;

/// What the table says of `ending`, whose subject is `subject`.
pub(super) fn verdict(ending: &Ending, subject: Subject) -> Verdict {
    match subject {
        Subject::Code(code) => of_code(code),
        Subject::Status(status) => status::verdict(status),
        Subject::Proxy(status) => status::of_proxy(status),
        Subject::Cause(cause) => of_cause(cause, &ending.detail),
    }
}

fn of_code(code: CloseCode) -> Verdict {
    let advice = advice(code, Direction::AtClient);
    Verdict::advised(&advice, advice.rule)
}

fn of_cause(cause: Cause, detail: &Detail) -> Verdict {
    match cause.kind() {
        // What we would have sent is what the advice for it is about.
        CauseKind::Failed(code) => {
            Verdict::advised(&advice(code.code(), Direction::AtClient), cause.id())
        }
        // A connection that nobody here wants any more.
        CauseKind::Own => Verdict::stop(cause.id()),
        CauseKind::Code | CauseKind::NotOpened => match cause {
            Cause::Dns if is_unknown_name(detail) => {
                Verdict::retry("dns-unknown-name", DelayClass::Slow)
            }
            // No sound HTTP at all: a proxy or a portal in between, perhaps.
            Cause::HandshakeInvalid if detail.kind() == Some(DetailKind::Garbled) => {
                Verdict::doubtful("handshake-garbled")
            }
            // A 101 that is none for us is a setting, here or there.
            Cause::HandshakeInvalid => Verdict::stop(cause.id()),
            _ => Verdict::retry(cause.id(), DelayClass::Normal),
        },
    }
}

/// Whether the resolver knows that the name does not exist, rather than that it cannot tell. The
/// standard library hands its verdict on as text only.
fn is_unknown_name(detail: &Detail) -> bool {
    const SAID: [&str; 4] = [
        "Name or service not known",      // glibc
        "Name does not resolve",          // musl
        "nodename nor servname provided", // macOS, BSD
        "No such host is known",          // Windows
    ];
    match detail {
        Detail::Text(text) | Detail::Proxy(text) => SAID.iter().any(|said| text.contains(said)),
        _ => false,
    }
}
