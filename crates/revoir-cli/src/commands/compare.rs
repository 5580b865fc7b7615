//! `revoir compare A B`: two codes, differences first.

use clap::CommandFactory;
use clap::error::ErrorKind;
use revoir_codes::catalog::json::ComparisonFields;
use revoir_codes::catalog::{Comparison, Explanation, Row, SameCode, compare};

use crate::answer::Answer;
use crate::args::{Args, CompareArgs};
use crate::commands::{named, sections};
use crate::exit::Failure;
use crate::output::{Page, Screen, json};

pub(crate) fn run(args: &CompareArgs, screen: &Screen) -> Result<Answer, Failure> {
    let a = named::close_code(&args.a, screen)?;
    let b = named::close_code(&args.b, screen)?;
    let comparison =
        compare(a.code, b.code, screen.locale).map_err(|same| Failure::Usage(usage_error(same)))?;
    let text = if screen.json {
        json::line(&ComparisonFields::new(&comparison))
    } else {
        page(&comparison, screen)
    };
    Ok(Answer {
        text,
        notes: a.remark + &b.remark,
    })
}

/// An error that shows how `compare` is used.
fn usage_error(same: SameCode) -> clap::Error {
    let mut command = Args::command();
    command.build();
    let compare = command.find_subcommand_mut("compare");
    compare.map_or_else(
        || Args::command().error(ErrorKind::ValueValidation, same),
        |compare| compare.error(ErrorKind::ValueValidation, same),
    )
}

fn page(comparison: &Comparison, screen: &Screen) -> String {
    let labels = &screen.locale.labels;
    let (a, b) = (&comparison.a, &comparison.b);
    let mut page = Page::new(screen);
    sections::notice(&mut page, screen);
    page.paragraph(0, &screen.strong(&comparison.title));
    page.gap();
    page.paragraph(0, &comparison.introduction);
    page.heading(labels.key_differences);
    if comparison.differences.is_empty() {
        page.paragraph(2, screen.locale.phrases().no_difference);
    } else {
        versus(&mut page, comparison, screen);
    }
    page.heading(labels.in_common);
    let common: Vec<_> = comparison
        .in_common
        .iter()
        .map(|row| (row.aspect.label(labels), row.a.clone()))
        .collect();
    page.table(2, &common);
    page.heading(labels.when_to_use_which);
    page.paragraph(2, &comparison.choice);
    both(&mut page, [a, b], screen, |page, of| {
        page.paragraph(4, of.text.usage)
    });
    page.heading(labels.description);
    both(&mut page, [a, b], screen, |page, of| {
        page.paragraph(4, of.text.short);
        page.paragraph(4, of.text.meaning);
    });
    page.heading(labels.common_mistake);
    both(&mut page, [a, b], screen, |page, of| {
        page.paragraph(4, of.text.trap)
    });
    page.heading(labels.when_you_see_it);
    both(&mut page, [a, b], screen, |page, of| {
        page.bullets(4, sections::statements(screen, of.seen()));
    });
    page.heading(labels.how_to_fix);
    both(&mut page, [a, b], screen, |page, of| {
        page.bullets(4, of.text.fix)
    });
    page.heading(labels.what_next);
    both(&mut page, [a, b], screen, |page, of| {
        page.paragraph(4, of.text.next)
    });
    page.paragraph(2, &screen.faint(screen.locale.phrases().advice_only));
    sections::learn_more(&mut page, screen, &[a, b]);
    page.finish()
}

fn versus(page: &mut Page<'_>, comparison: &Comparison, screen: &Screen) {
    let labels = &screen.locale.labels;
    let numbers = [&comparison.a, &comparison.b].map(|of| of.code.get().to_string());
    let painted = [
        screen.code(comparison.a.facts.severity, &numbers[0]),
        screen.code(comparison.b.facts.severity, &numbers[1]),
    ];
    let row = |row| {
        let Row { aspect, a, b, .. }: &Row = row;
        (aspect.label(labels), [a.as_str(), b.as_str()])
    };
    let rows: Vec<_> = comparison.differences.iter().map(row).collect();
    page.versus(
        [&numbers[0], &numbers[1]],
        [&painted[0], &painted[1]],
        &rows,
    );
}

/// The same section for both codes, each under its name; once if it says the same of both.
fn both(
    page: &mut Page<'_>,
    codes: [&Explanation; 2],
    screen: &Screen,
    mut section: impl FnMut(&mut Page<'_>, &Explanation),
) {
    if codes[0].same_entry(codes[1]) {
        section(page, codes[0]);
        return;
    }
    for of in codes {
        let number = screen.code(of.facts.severity, &of.code.get().to_string());
        page.paragraph(2, &format!("{number} {}", of.text.title));
        section(page, of);
    }
}
