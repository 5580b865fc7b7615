//! `revoir diagnose`: why connections end, from a look at a URL and from what is known.

mod live;
mod masking;
mod pasted;

use std::io::Write;

use revoir_codes::CloseCode;
use revoir_codes::catalog::diagnosis::{Diagnosis, Evidence, diagnose};

use crate::answer::written_to;
use crate::args::DiagnoseArgs;
use crate::commands::sections;
use crate::diagnose::{Place, Step};
use crate::exit::{Exit, Failure};
use crate::output::{DiagnosisLine, Page, Screen, json, step_line, write_diagnosis};
use live::Looked;
use pasted::Pasted;

pub(crate) fn run(
    args: &DiagnoseArgs,
    screen: &Screen,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let looked = match &args.url {
        Some(url) => live::run(url, &args.live, screen, err)?,
        None if args.evidence.is_empty() => {
            return Err(Failure::usage(
                "diagnose",
                "pass a URL, or what you know, for example --code 1006 --opened yes --idle 60s",
            ));
        }
        None => Looked {
            evidence: Evidence::new(),
            is_well: false,
            steps: Vec::new(),
            exit: Exit::Done,
            place: None,
        },
    };
    let (mut evidence, mut steps) = (looked.evidence, looked.steps);
    let mut pasted = None;
    if args.evidence.reads_stdin() {
        match pasted::read()? {
            Pasted::Text(text) => pasted = Some(text),
            // What was seen at the URL is about another connection.
            Pasted::Capture(captured) => {
                evidence = captured.evidence;
                steps.extend(captured.steps);
            }
        }
    }
    args.evidence.add_to(&mut evidence);
    evidence.texts.extend(pasted);
    for text in &mut evidence.texts {
        *text = masking::without_secrets(text);
    }
    let is_well = looked.is_well && args.evidence.is_empty();
    let mut diagnosis = diagnose(&evidence);
    if is_well {
        // That it works speaks for causes that strike elsewhere, and nothing is to be explained.
        diagnosis.ranked.clear();
    }
    let finding = Finding {
        diagnosis,
        is_well,
        code: evidence.code,
        steps,
        place: looked.place,
    };
    let text = match screen.json {
        true => finding.json(screen),
        false => finding.page(screen),
    };
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(written_to(written, err).unwrap_or(looked.exit))
}

/// What there is to say.
struct Finding {
    diagnosis: Diagnosis,
    /// Nothing was found, and nothing is known from elsewhere.
    is_well: bool,
    code: Option<CloseCode>,
    steps: Vec<Step>,
    place: Option<Place>,
}

impl Finding {
    fn verdict(&self, screen: &Screen) -> String {
        match self.is_well {
            true => screen.locale.phrases().verdict_well.to_owned(),
            false => screen.locale.verdict(&self.diagnosis),
        }
    }

    fn json(&self, screen: &Screen) -> String {
        let steps = self.steps.iter().map(step_line::StepFields::new).collect();
        let verdict = self.verdict(screen);
        json::line(&DiagnosisLine::new(
            &self.diagnosis,
            verdict,
            steps,
            self.place.as_ref(),
            screen.locale,
        ))
    }

    fn page(&self, screen: &Screen) -> String {
        let mut page = Page::new(screen);
        sections::notice(&mut page, screen);
        page.paragraph(0, &screen.strong(&self.verdict(screen)));
        if !self.is_well {
            write_diagnosis(&mut page, &self.diagnosis, self.place.as_ref(), screen);
        }
        if !self.steps.is_empty() {
            page.heading(screen.locale.phrases().tried);
            for step in &self.steps {
                page.line(&format!("  {}", step_line::text(step)));
            }
        }
        if let Some(code) = self.code {
            let command = format!("revoir explain {}", code.get());
            page.gap();
            page.paragraph(0, &screen.faint(&screen.locale.explain_hint(&command)));
        }
        page.finish()
    }
}
