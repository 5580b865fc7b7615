//! `cargo xtask corpus fit`: which weights the causes would have if the working half chose them, and whether
//! rows that did not choose agree.
//!
//! The model is that of `revoir diagnose`: weights add up to a weight of each cause, and those are taken for
//! logarithms of odds. So the logarithm of the probability of the right cause has one maximum, which is
//! climbed from the weights as they are; each step away from them costs. Whether that helps strangers is
//! asked of products that were left out, a fifth of them at a time.

use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use super::figures::Figures;
use super::row::Row;
use super::store::Half;
use super::verdict::Verdict;
use crate::print;

mod climb;
mod example;
mod weights;
mod write;

use example::{Answer, Example};
use weights::Weights;

/// Products are left out in so many turns.
const TURNS: u64 = 5;

/// What a text of `said.toml` counts, next to a row: most of them were written by whoever wrote the rules.
const SAID: f64 = 0.2;
/// What one of our own cases counts: they have to stay right.
const OWN: f64 = 2.0;

/// Prints the figures as they are, of products that were left out, and with everything; then the changes,
/// which `write` puts into causes.toml.
pub(super) fn fit(binary: &Path, write: bool) -> anyhow::Result<()> {
    let weights = Weights::read()?;
    let (working, examples) = examples(binary, &weights)?;
    let judged = |weights: &Weights, wanted: &dyn Fn(&Row) -> bool| {
        let causes = weights.in_revoir();
        let rows = working.iter().zip(&examples);
        let rows = rows.filter(|(row, _)| wanted(row));
        rows.map(|(row, example)| (row.clone(), example.verdict(causes)))
            .collect::<Vec<(Row, Verdict)>>()
    };
    let show = |what: &str, judged: &[(Row, Verdict)]| {
        print(&format!("{what}\n\n{}", Figures::of(judged).table()));
    };
    show(
        "The working half, with the weights as they are",
        &judged(&weights, &|_| true),
    );
    let mut left_out = Vec::new();
    for turn in 0..TURNS {
        let learns = |example: &Example| !example.is_working() || example.turn(TURNS) != turn;
        let learned: Vec<&Example> = examples.iter().filter(|of| learns(of)).collect();
        let fitted = climb::from(&weights, &learned);
        left_out.extend(judged(&fitted, &|row| example::turn_of(row, TURNS) == turn));
    }
    show("Each product with weights that the others chose", &left_out);
    let all: Vec<&Example> = examples.iter().collect();
    let fitted = climb::from(&weights, &all);
    show("With weights that all chose", &judged(&fitted, &|_| true));
    let changes = weights.changes(&fitted);
    for change in &changes {
        print(&change.to_string());
    }
    match write {
        true => write::into_causes(&changes),
        false => Ok(()),
    }
}

/// The rows of the working half, and what counts in these and in our own texts and cases. The examples of
/// the rows come first, in their order. What does not run is named: it chooses nothing.
fn examples(binary: &Path, weights: &Weights) -> anyhow::Result<(Vec<Row>, Vec<Example>)> {
    let (mut working, mut examples, mut unrun) = (Vec::new(), Vec::new(), Vec::new());
    let in_use = weights.in_revoir();
    for (rows, counts) in [(Half::Working.read()?, 1.0), (said()?, SAID), (own()?, OWN)] {
        for row in rows {
            let Some(answer) = Answer::of(&row, binary)? else {
                unrun.push(format!("{}: {}", row.product, row.id));
                continue;
            };
            examples.push(Example::new(&row, answer, weights, in_use, counts)?);
            if !row.address.is_empty() {
                working.push(row);
            }
        }
    }
    for row in unrun {
        print(&format!("not run, and left out: {row}"));
    }
    Ok((working, examples))
}

/// The texts that products print, as rows.
fn said() -> anyhow::Result<Vec<Row>> {
    #[derive(Deserialize)]
    struct File {
        group: Vec<Group>,
    }
    #[derive(Deserialize)]
    struct Group {
        by: String,
        texts: Vec<(String, String)>,
    }
    let file: File = read("testdata/diagnosis/said.toml")?;
    let texts = file.group.into_iter().flat_map(|group| {
        let by = group.by;
        group.texts.into_iter().map(move |(text, right)| {
            let right: Vec<&str> = right.split('|').collect();
            Row::of_text(&by, vec!["--console".to_owned(), text], &right)
        })
    });
    Ok(texts.collect())
}

/// Our own cases, as rows.
fn own() -> anyhow::Result<Vec<Row>> {
    #[derive(Deserialize)]
    struct File {
        group: Vec<Group>,
    }
    #[derive(Deserialize)]
    struct Group {
        case: Vec<Case>,
    }
    #[derive(Deserialize)]
    struct Case {
        #[serde(default)]
        known: String,
        #[serde(default)]
        console: Vec<String>,
        cause: String,
    }
    let file: File = read("testdata/diagnosis/cases.toml")?;
    let cases = file.group.into_iter().flat_map(|group| group.case);
    Ok(cases
        .map(|case| {
            let mut argv: Vec<String> = case.known.split_whitespace().map(str::to_owned).collect();
            for text in case.console {
                argv.extend(["--console".to_owned(), text]);
            }
            Row::of_text("own case", argv, &[&case.cause])
        })
        .collect())
}

fn read<T: for<'de> Deserialize<'de>>(path: &str) -> anyhow::Result<T> {
    let path = crate::root().join(path);
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("in {}", path.display()))
}
