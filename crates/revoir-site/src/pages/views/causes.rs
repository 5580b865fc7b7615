//! The causes of 1006, behind three questions.

use askama::Template;
use revoir_codes::CloseCode;
use revoir_codes::catalog::Locale;
use revoir_codes::catalog::causes::{CauseFacts, Phase, causes};
use revoir_codes::catalog::text::CauseText;

use super::parts::written;
use crate::pages::address::Address;
use crate::pages::frame::{CodeLink, Frame};
use crate::pages::links::Home;

#[derive(Template)]
#[template(path = "causes.html", whitespace = "minimize")]
struct CausesPage {
    frame: Frame,
    code: CodeLink,
    phases: Vec<Group>,
}

/// The causes that strike in one phase.
struct Group {
    phase: Phase,
    title: &'static str,
    causes: Vec<(&'static CauseFacts, &'static CauseText)>,
}

impl CausesPage {
    /// The group of a phase, for the questions.
    fn group(&self, index: usize) -> &Group {
        &self.phases[index]
    }
}

pub(in crate::pages) fn page(locale: &'static Locale, home: &Home) -> String {
    let frame = Frame::new(
        Address::Causes,
        locale,
        home,
        locale.labels.find_the_cause.to_owned(),
        locale.phrases().causes_intro,
    );
    let phases = Phase::ALL
        .iter()
        .copied()
        .map(|phase| Group {
            phase,
            title: locale.phase(phase),
            causes: causes(locale)
                .filter(|(facts, _)| facts.phase == phase)
                .collect(),
        })
        .collect();
    let code = frame.code_link(CloseCode::ABNORMAL_CLOSURE);
    written(&CausesPage {
        frame,
        code,
        phases,
    })
}
