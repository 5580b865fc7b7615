//! A diagnosis as text: the causes by weight, and what would tell more.

use revoir_codes::catalog::diagnosis::settings::{Setting, settings};
use revoir_codes::catalog::diagnosis::{Confidence, Diagnosis, Ranked, Weighed};

use crate::diagnose::Place;
use crate::output::{Page, Screen};
use crate::printable;

/// So many causes are shown in full.
const IN_FULL: usize = 3;
/// So many further ones are named.
const NAMED: usize = 4;
/// So many characters of a line that was not understood are shown.
const LONGEST_LINE: usize = 160;
/// A cause below this share, in per cent, is not named.
const LEAST_SHARE: u8 = 1;

/// Writes what evidence amounts to, but for the verdict.
pub(crate) fn write_diagnosis(
    page: &mut Page<'_>,
    diagnosis: &Diagnosis,
    place: Option<&Place>,
    screen: &Screen,
) {
    let locale = screen.locale;
    if let Some(names) = locale.points_at(diagnosis) {
        page.paragraph(0, &names);
    }
    doubts(page, diagnosis, screen);
    let is_known = diagnosis.likeliest().is_some();
    let (full, named) = match is_known {
        true => split(&diagnosis.ranked),
        false => (&[][..], nearest(&diagnosis.ranked)),
    };
    for (index, ranked) in full.iter().enumerate() {
        in_full(page, index + 1, ranked, diagnosis, place, screen);
    }
    if !named.is_empty() {
        page.heading(match is_known {
            true => locale.phrases().less_likely,
            false => locale.phrases().nearest_causes,
        });
        page.bullets(2, named.iter().map(|ranked| locale.cause(ranked.cause)));
    }
    let sure = full
        .first()
        .is_some_and(|first| first.confidence == Confidence::AlmostCertain);
    if !sure && !diagnosis.unknown.is_empty() {
        page.heading(locale.phrases().ask);
        let questions = diagnosis.unknown.iter();
        page.bullets(2, questions.map(|question| locale.question(*question)));
    }
}

/// What was told and cannot be true, and what was not understood.
fn doubts(page: &mut Page<'_>, diagnosis: &Diagnosis, screen: &Screen) {
    let locale = screen.locale;
    if !diagnosis.contradictions.is_empty() {
        page.heading(locale.phrases().contradictions);
        let all = diagnosis.contradictions.iter();
        page.bullets(2, all.map(|of| locale.contradiction(*of)));
    }
    if !diagnosis.unrecognised.is_empty() {
        page.heading(locale.phrases().not_recognised);
        let all = diagnosis.unrecognised.iter().take(NAMED);
        page.bullets(
            2,
            all.map(|of| {
                let line = printable::one_line(&of.line, LONGEST_LINE);
                match locale.nearest(of) {
                    Some(nearest) => locale.aside(&line, &nearest),
                    None => line,
                }
            }),
        );
    }
}

/// The causes to name if none of them fits.
fn nearest(ranked: &[Ranked]) -> &[Ranked] {
    let possible = |of: &&Ranked| of.confidence >= Confidence::Possible;
    let count = ranked.iter().take_while(possible).count();
    &ranked[..count.min(IN_FULL)]
}

/// The causes to show in full, and those to name.
fn split(ranked: &[Ranked]) -> (&[Ranked], &[Ranked]) {
    let shown = |of: &&Ranked| of.share >= LEAST_SHARE;
    let ranked = &ranked[..ranked.iter().take_while(shown).count()];
    let possible = |of: &&Ranked| of.confidence >= Confidence::Possible;
    let full = ranked.iter().take_while(possible).count().min(IN_FULL);
    let (full, rest) = ranked.split_at(full);
    (full, &rest[..rest.len().min(NAMED)])
}

fn in_full(
    page: &mut Page<'_>,
    number: usize,
    ranked: &Ranked,
    diagnosis: &Diagnosis,
    place: Option<&Place>,
    screen: &Screen,
) {
    let (locale, labels) = (screen.locale, &screen.locale.labels);
    let Some(text) = ranked.cause.text(locale) else {
        return;
    };
    let phrases = locale.phrases();
    let share = locale.percent(ranked.share);
    page.heading(&format!("{number}. {} · {share}", text.title));
    signs(page, phrases.evidence_for, &ranked.supporting, screen);
    signs(
        page,
        phrases.evidence_against,
        &ranked.contradicting,
        screen,
    );
    page.paragraph(2, &screen.faint(labels.confirm));
    page.paragraph(4, text.confirm);
    // To be copied, so it is never wrapped.
    page.line(&format!("    $ {}", Place::command(place, ranked.cause)));
    page.paragraph(2, &screen.faint(labels.fix));
    page.bullets(4, text.fix);
    let found = settings(ranked.cause, &diagnosis.products);
    if !found.is_empty() {
        page.paragraph(2, &screen.faint(phrases.settings));
        for setting in found {
            configuration(page, setting, screen);
        }
    }
}

fn signs(page: &mut Page<'_>, label: &str, weighed: &[Weighed], screen: &Screen) {
    if weighed.is_empty() {
        return;
    }
    page.paragraph(2, &screen.faint(label));
    let sentences = weighed.iter().map(|one| {
        let weight = screen.faint(&format!("{:+}", one.weight));
        // What was observed may be the words of a stranger.
        let sign = screen.locale.sign(&one.observed);
        format!("{} {weight}", printable::one_line(&sign, usize::MAX))
    });
    page.bullets(4, sentences);
}

/// Lines to copy: they are never wrapped.
fn configuration(page: &mut Page<'_>, setting: &Setting, screen: &Screen) {
    let place = screen.locale.aside(setting.product, setting.at);
    page.paragraph(4, &place);
    for line in setting.lines {
        page.line(&format!("      {line}"));
    }
}
