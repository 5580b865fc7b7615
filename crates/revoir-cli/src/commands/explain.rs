//! `revoir explain CODE`: one code in full.

use revoir_codes::CloseCode;
use revoir_codes::advice::Direction;
use revoir_codes::catalog::causes::{Phase, all_causes};
use revoir_codes::catalog::json::ExplanationFields;
use revoir_codes::catalog::{Explanation, explain, fact_rows};

use crate::answer::Answer;
use crate::args::ExplainArgs;
use crate::commands::{named, sections};
use crate::exit::Failure;
use crate::output::{Page, Screen, json};

pub(crate) fn run(args: &ExplainArgs, screen: &Screen) -> Result<Answer, Failure> {
    let named = named::close_code(&args.code.join(" "), screen)?;
    let of = explain(named.code, screen.locale);
    let text = if screen.json {
        json::line(&ExplanationFields::new(&of))
    } else {
        page(&of, args.causes, screen)
    };
    Ok(Answer {
        text,
        notes: named.remark,
    })
}

fn page(of: &Explanation, all_causes: bool, screen: &Screen) -> String {
    let labels = &screen.locale.labels;
    let mut page = Page::new(screen);
    sections::notice(&mut page, screen);
    let number = screen.code(of.facts.severity, &of.code.get().to_string());
    page.paragraph(0, &format!("{number} {}", screen.strong(of.text.title)));
    page.paragraph(0, of.text.short);
    page.gap();
    page.table(2, &fact_rows(of));
    products(&mut page, of, screen);
    page.heading(labels.description);
    page.paragraph(2, of.text.meaning);
    page.heading(labels.common_mistake);
    page.paragraph(2, of.text.trap);
    page.heading(labels.when_you_see_it);
    page.bullets(2, sections::statements(screen, of.seen()));
    page.heading(labels.how_to_fix);
    page.bullets(2, of.text.fix);
    what_next(&mut page, of, screen);
    page.heading(labels.when_to_send);
    page.paragraph(2, of.text.usage);
    if of.code == CloseCode::ABNORMAL_CLOSURE || all_causes {
        cause_list(&mut page, of.code, all_causes, screen);
    }
    page.heading(labels.implementations);
    page.bullets(2, sections::statements(screen, of.notes()));
    page.bullets(2, of.on_record());
    sections::learn_more(&mut page, screen, &[of]);
    page.finish()
}

fn what_next(page: &mut Page<'_>, of: &Explanation, screen: &Screen) {
    let (labels, locale) = (&screen.locale.labels, screen.locale);
    let advice = &of.facts.client_advice;
    page.heading(labels.what_next);
    page.table(
        2,
        &[
            (labels.at_client, of.text.next.to_owned()),
            (labels.reconnect, of.retry(Direction::AtClient)),
            (labels.session, locale.session(advice).to_owned()),
            (labels.at_server, of.text.server_next.to_owned()),
        ],
    );
    let phrases = locale.phrases();
    let basis = locale.basis(advice.basis);
    let note = locale.paragraph(&[phrases.advice_only, basis]);
    page.paragraph(2, &screen.faint(&note));
}

/// The causes that are seen as `code`, by phase: titles, or everything.
fn cause_list(page: &mut Page<'_>, code: CloseCode, all: bool, screen: &Screen) {
    let (labels, locale) = (&screen.locale.labels, screen.locale);
    let known: Vec<_> = all_causes(locale)
        .filter(|(facts, _)| facts.is_seen_as(code))
        .collect();
    if known.is_empty() {
        return;
    }
    page.heading(labels.causes);
    for phase in Phase::ALL.iter().copied() {
        let of_phase = known.iter().filter(|(facts, _)| facts.phase == phase);
        let mut of_phase = of_phase.peekable();
        if of_phase.peek().is_some() {
            page.paragraph(2, &screen.faint(locale.phase(phase)));
        }
        for (_, text) in of_phase {
            if !all {
                page.bullets(4, [text.title]);
                continue;
            }
            page.bullets(4, [screen.strong(text.title)]);
            let list = |items: &[&str]| locale.paragraph(items);
            page.table(
                6,
                &[
                    (labels.evidence, list(text.evidence)),
                    (labels.confirm, text.confirm.to_owned()),
                    (labels.fix, list(text.fix)),
                ],
            );
        }
    }
    if !all {
        let hint = locale.causes_hint("revoir explain 1006 --causes");
        page.paragraph(2, &screen.faint(&hint));
    }
    let hint = locale.diagnose_hint(&format!("revoir diagnose --code {}", code.get()));
    page.paragraph(2, &screen.faint(&hint));
}

/// What products mean by the code.
fn products(page: &mut Page<'_>, of: &Explanation, screen: &Screen) {
    let phrases = screen.locale.phrases();
    let lines: Vec<_> = of
        .uses()
        .map(|product| {
            let (vendor, meaning) = (product.vendor.name, product.meaning());
            let text = format!("{vendor}{}{meaning}", phrases.colon);
            match product.reconnect {
                Some(true) => screen.locale.aside(&text, phrases.vendor_reconnect),
                Some(false) => screen.locale.aside(&text, phrases.vendor_stop),
                None => text,
            }
        })
        .collect();
    if !lines.is_empty() {
        page.heading(screen.locale.labels.used_by);
        page.bullets(2, lines);
    }
}
