//! A raw peer on a wire of our choice, and what to compare an ending with.

pub(crate) mod answer;
pub(crate) mod cases;
pub(crate) mod endings;
pub(crate) mod frames;
pub(crate) mod memory;
pub(crate) mod peer;
pub(crate) mod ports;
pub(crate) mod random;
pub(crate) mod wire;

use revoir::ending::{CallSite, CloseFrame, Detail, Finish, Initiator};
use revoir::{Cause, Ending, Reason, SendCode};

pub(crate) use frames::{Frame, Sort};
pub(crate) use peer::{Peer, Side, open, open_with};
pub(crate) use wire::{Wire, pem};

pub(crate) fn reason(text: &str) -> Reason {
    Reason::new(text).unwrap()
}

pub(crate) fn close_frame(code: u16, text: &str) -> CloseFrame {
    CloseFrame::new(SendCode::try_from(code).unwrap(), reason(text))
}

/// An ending to compare with, before its particulars are filled in.
pub(crate) fn expected(cause: Cause, finish: Finish, initiator: Option<Initiator>) -> Ending {
    let mut ending = Ending::never_opened(cause, Detail::None);
    ending.finish = finish;
    ending.initiator = initiator;
    ending
}

/// Compares everything but the durations, and the call site by its file.
#[track_caller]
pub(crate) fn assert_ending(actual: &Ending, mut expected: Ending) {
    expected.open_for = actual.open_for;
    expected.idle_for = actual.idle_for;
    if let (Some(_), Some(site)) = (&expected.closed_at, &actual.closed_at) {
        assert!(site.file.contains("tests/it/"), "{site}");
        expected.closed_at = Some(site.clone());
    }
    assert_eq!(*actual, expected, "{actual}");
}

/// Somewhere in the tests.
pub(crate) fn here() -> Option<CallSite> {
    Some(CallSite::from(std::panic::Location::caller()))
}
