//! "See it happen", and what a page may not send.

use anyhow::Context;
use revoir::CloseCode;
use serde_json::{Value, json};

use crate::visit::{DESKTOP, Visit};

/// Codes whose pages are tried: the registered ones, an unassigned and a private one.
fn codes() -> impl Iterator<Item = CloseCode> {
    CloseCode::registered().chain([2000, 4001].map(CloseCode::new))
}

/// Calls in the order of the page, and what each gives.
const CALLS: [(&str, &str); 8] = [
    ("close()", "close()"),
    ("close(1000)", "close(1000)"),
    ("close(1001)", "InvalidAccessError"),
    ("close(1006)", "InvalidAccessError"),
    ("close(1012)", "InvalidAccessError"),
    ("close(2999)", "InvalidAccessError"),
    ("close(3000)", "close(3000)"),
    ("close(1000, \"x\".repeat(124))", "SyntaxError"),
];

pub(crate) async fn check(visit: &mut Visit<'_>) -> anyhow::Result<Vec<String>> {
    visit.look(DESKTOP, false).await?;
    let mut failures = Vec::new();
    let mut pressed = 0;
    for code in codes().map(CloseCode::get) {
        visit.go(&format!("/en/codes/{code}")).await?;
        visit
            .until("!document.querySelector('.ways')?.hidden")
            .await?;
        let count = visit
            .evaluate("document.querySelectorAll('.ways button').length")
            .await?;
        for index in 0..count.as_u64().context("a count")? {
            let outcome = press(visit, index).await;
            let outcome = outcome.with_context(|| format!("{code}, button {index}"))?;
            if outcome["predicted"] != "true" || outcome["next"] == "" {
                failures.push(format!("/en/codes/{code}: {outcome}"));
            }
            pressed += 1;
        }
    }
    revoir_conformance::report(&format!("{pressed} buttons were pressed"));
    failures.extend(calls(visit).await?);
    Ok(failures)
}

/// Presses a button and waits for what it shows.
async fn press(visit: &mut Visit<'_>, index: u64) -> anyhow::Result<Value> {
    let button = format!("document.querySelectorAll('.ways button')[{index}]");
    visit.evaluate(&format!("{button}.click()")).await?;
    let shown = format!("document.querySelector('.outcome').dataset.way === {button}.dataset.way");
    visit.until(&shown).await?;
    let outcome = "(() => {
        const outcome = document.querySelector('.outcome');
        const text = (selector) => outcome.querySelector(selector).textContent;
        return {
            way: outcome.dataset.way,
            predicted: outcome.dataset.predicted,
            seen: text('.at-browser dl'),
            ending: text('.sentence'),
            next: text('.then dl'),
        };
    })()";
    visit.evaluate(outcome).await
}

/// Every call of the form's list.
async fn calls(visit: &mut Visit<'_>) -> anyhow::Result<Vec<String>> {
    let mut failures = Vec::new();
    visit.go("/en/codes/1012").await?;
    visit
        .until("!document.querySelector('.forbid').hidden")
        .await?;
    for (index, (call, expected)) in CALLS.into_iter().enumerate() {
        let button = format!("document.querySelectorAll('.calls button')[{index}]");
        let label = visit.evaluate(&format!("{button}.textContent")).await?;
        visit.evaluate(&format!("{button}.click()")).await?;
        visit
            .until("document.querySelector('.forbid').dataset.called !== undefined")
            .await?;
        let got = visit
            .evaluate("document.querySelector('.answer b').textContent")
            .await?;
        if label != json!(call) || got != json!(expected) {
            failures.push(format!("{call}: {label} gives {got}, not {expected}"));
        }
    }
    Ok(failures)
}
