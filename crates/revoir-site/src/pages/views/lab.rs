//! "See it happen": the buttons that end real connections, on pages of a server.

use askama::Template;
use revoir_codes::{CloseCode, REASON_MAX_BYTES};

use crate::lab::{Engine, Way};
use crate::pages::frame::Frame;
use crate::pages::prose;

/// The part of a page that has a lab behind it.
#[derive(Template)]
#[template(path = "lab.html", whitespace = "minimize")]
pub(super) struct LabView<'a> {
    frame: &'a Frame,
    buttons: Vec<Button>,
    /// The number that the form of what a page may not send begins with; `None` without that form.
    number: Option<u16>,
}

/// A way to end, as a button shows it.
struct Button {
    id: String,
    html: String,
    /// Code, cleanness and error event by engine: in the first, and where another differs from it.
    sights: Vec<(&'static str, String)>,
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
        Self::with(frame, Way::to(code), Some(code.get()))
    }

    /// The ways to see either of two codes, each once.
    pub(super) fn of_pair(frame: &'a Frame, a: CloseCode, b: CloseCode) -> Option<Self> {
        let mut ways = Way::to(a);
        let others = Way::to(b).into_iter();
        let others: Vec<_> = others.filter(|way| !ways.contains(way)).collect();
        ways.extend(others);
        Self::with(frame, ways, None)
    }

    fn with(frame: &'a Frame, ways: Vec<Way>, number: Option<u16>) -> Option<Self> {
        let button = |way: Way| Button {
            id: way.id(),
            html: prose::html(&way.text(frame.locale), |_| None),
            sights: sights(way),
        };
        frame.has_server().then(|| Self {
            frame,
            buttons: ways.into_iter().map(button).collect(),
            number,
        })
    }

    /// The engines that were measured.
    fn engines(&self) -> &'static [Engine] {
        Engine::all()
    }

    fn calls(&self) -> &'static [(&'static str, u16, usize)] {
        &CALLS
    }

    /// What becomes of a reason without a code.
    fn dropped(&self) -> String {
        self.frame.locale.phrases().forbid_dropped.replace('`', "")
    }

    /// Why a reason is too long.
    fn too_long(&self) -> String {
        let locale = self.frame.locale;
        let limit = REASON_MAX_BYTES.to_string();
        locale.filled(locale.phrases().forbid_length, &[("limit", &limit)])
    }
}

/// What each engine tells of a way.
fn sights(way: Way) -> Vec<(&'static str, String)> {
    let mut sights: Vec<(&str, String)> = Vec::new();
    for engine in Engine::all() {
        let Some(sight) = way.sight(engine) else {
            continue;
        };
        let told = format!("{} {} {}", sight.code, sight.clean, sight.error);
        if sights.first().is_none_or(|(_, first)| *first != told) {
            sights.push((&engine.id, told));
        }
    }
    sights
}
