//! Endings as a policy sees them.

use std::time::Duration;

use revoir::ending::{CloseFrame, Detail, Finish, Initiator};
use revoir::handshake::{Headers, Refused};
use revoir::{Cause, Ending, Reason, SendCode};

/// The peer closed with `code`, 1005 for an empty Close frame, at once after opening.
pub(crate) fn closed(code: u16, reason: &str) -> Ending {
    let mut ending = Ending::never_opened(Cause::ClosedByPeer, Detail::None);
    ending.finish = Finish::Answered;
    ending.initiator = Some(Initiator::Remote);
    let frame = match code {
        1005 => CloseFrame::EMPTY,
        code => CloseFrame::new(
            SendCode::try_from(code).unwrap(),
            Reason::new(reason).unwrap(),
        ),
    };
    ending.received = Some(frame);
    ending.sent = Some(frame.answer());
    ending
}

/// The server refused the handshake with `status`.
pub(crate) fn refused(status: u16, retry_after: Option<&str>) -> Ending {
    let mut headers = Headers::new();
    if let Some(value) = retry_after {
        headers.push("Retry-After", value).unwrap();
    }
    Ending::from(Refused::new(status, headers))
}

/// An ending with nothing but its cause.
pub(crate) fn with_cause(cause: Cause) -> Ending {
    Ending::never_opened(cause, Detail::None)
}

/// `ending`, after the connection was open for so long.
pub(crate) fn after(open_for: Duration, mut ending: Ending) -> Ending {
    ending.open_for = open_for;
    ending
}
