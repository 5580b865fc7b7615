//! "See it happen": the buttons that end real connections, on pages of a server.

use askama::Template;
use revoir_codes::{CloseCode, REASON_MAX_BYTES};

use crate::lab::{Sight, Way};
use crate::pages::frame::Frame;
use crate::pages::prose;

/// The part of a page that has a lab behind it.
#[derive(Template)]
#[template(path = "lab.html", whitespace = "minimize")]
pub(super) struct LabView<'a> {
    frame: &'a Frame,
    buttons: Vec<Button>,
    /// The number that the form begins with.
    number: u16,
}

/// A way to end, as a button shows it.
struct Button {
    id: String,
    html: String,
    sight: Sight,
}

/// Calls of `close` that are worth a try: number and length of the reason.
const CALLS: [(&str, u16, usize); 8] = [
    ("close()", 0, 0),
    ("close(1000)", 1000, 0),
    ("close(1001)", 1001, 0),
    ("close(1006)", 1006, 0),
    ("close(1012)", 1012, 0),
    ("close(2999)", 2999, 0),
    ("close(3000)", 3000, 0),
    ("close(1000, \"x\".repeat(124))", 1000, 124),
];

impl<'a> LabView<'a> {
    /// The ways to see `code`; `None` in a file, which has no server behind it.
    pub(super) fn new(frame: &'a Frame, code: CloseCode) -> Option<Self> {
        let locale = frame.locale;
        let button = |way: Way| Button {
            id: way.id(),
            html: prose::html(&way.text(locale), |_| None),
            sight: way.sight(),
        };
        frame.has_server().then(|| Self {
            frame,
            buttons: Way::to(code).into_iter().map(button).collect(),
            number: code.get(),
        })
    }

    fn calls(&self) -> &'static [(&'static str, u16, usize)] {
        &CALLS
    }

    /// Why a reason is too long.
    fn too_long(&self) -> String {
        let locale = self.frame.locale;
        let limit = REASON_MAX_BYTES.to_string();
        locale.filled(locale.phrases().forbid_length, &[("limit", &limit)])
    }
}
