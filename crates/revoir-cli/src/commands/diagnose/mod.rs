//! `revoir diagnose`: why connections end.

mod live;

use std::io::Write;

use revoir_codes::catalog::causes::causes;
use revoir_codes::catalog::diagnosis::diagnose;

use crate::args::DiagnoseArgs;
use crate::exit::{Exit, Failure};
use crate::output::{Screen, json, step_line};

pub(crate) fn run(
    args: &DiagnoseArgs,
    screen: &Screen,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let looked = live::run(&args.url, &args.live, screen, err)?;
    let diagnosis = diagnose(&looked.evidence);
    let ids = || diagnosis.ranked.iter().map(|ranked| ranked.cause.id);
    let text = if screen.json {
        json::line(&step_line::StepLines::new(ids(), &looked.steps))
    } else {
        let verdict = match ids().next().filter(|_| !looked.is_well) {
            Some(id) => title(id, screen),
            None => "Everything that was tried went as it should.",
        };
        let log: String = looked.steps.iter().map(step_line::text).collect();
        format!("{verdict}\n\n{log}")
    };
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(crate::written_to(written, err).unwrap_or(looked.exit))
}

fn title(id: &str, screen: &Screen) -> &'static str {
    let mut all = causes(screen.locale);
    all.find(|(facts, _)| facts.id == id)
        .map_or("", |(_, text)| text.title)
}
