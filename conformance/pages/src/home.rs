//! The first page: one connection, and what happens to it.

use serde_json::Value;

use crate::visit::{DESKTOP, Visit};

/// Everything that the page says of its connection.
const STATE: &str = "(() => {
    const live = document.querySelector('.live');
    const value = (name) => live.querySelector(`.${name} dd`).textContent;
    return {
        ...live.dataset,
        answered: Number(value('answered')),
        lost: Number(value('lost')),
        backend: value('backend'),
    };
})()";

pub(crate) async fn check(visit: &mut Visit<'_>) -> anyhow::Result<Vec<String>> {
    let mut failures = Vec::new();
    let mut check = |right: bool, what: &str, state: &Value| {
        if !right {
            failures.push(format!("home: {what}: {state}"));
        }
    };
    visit.look(DESKTOP, false).await?;
    visit.go("/en/").await?;
    answered(visit, 3).await?;

    // A restart of the backend: the connection stays, and every message is answered.
    let before = &visit.evaluate(STATE).await?["backend"];
    act(visit, "restart").await?;
    let another = format!("document.querySelector('.backend dd').textContent !== {before}");
    visit.until(&another).await?;
    let count = visit.evaluate(STATE).await?["answered"].as_u64();
    answered(visit, count.unwrap_or_default() + 3).await?;
    let state = visit.evaluate(STATE).await?;
    check(state["closes"].is_null(), "the connection closed", &state);
    check(state["lost"] == 0, "messages were lost", &state);

    // 1012 with a slot: the page comes back in it.
    act(visit, "close").await?;
    visit
        .until("document.querySelector('.live').dataset.gone")
        .await?;
    let state = visit.evaluate(STATE).await?;
    check(
        state["code"] == "1012",
        "it ended with another code",
        &state,
    );
    let slot = state["reason"].as_str().and_then(slot);
    let number = |key: &str| {
        state[key]
            .as_str()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let in_slot = |ms: u64| slot.is_some_and(|(first, last)| (first..=last).contains(&ms));
    check(
        number("delay").is_some_and(in_slot),
        "the delay is not the slot's",
        &state,
    );
    let waited = number("gone").zip(number("delay"));
    check(
        waited.is_some_and(|(gone, delay)| gone >= delay),
        "it came too early",
        &state,
    );
    let count = state["answered"].as_u64().unwrap_or_default();
    answered(visit, count + 3).await?;

    // Cut: nothing but 1006, and the policy.
    visit
        .evaluate("delete document.querySelector('.live').dataset.gone")
        .await?;
    act(visit, "cut").await?;
    visit
        .until("document.querySelector('.live').dataset.gone")
        .await?;
    let state = visit.evaluate(STATE).await?;
    check(
        state["code"] == "1006",
        "it ended with another code",
        &state,
    );
    check(
        state["closes"] == "2",
        "it closed another number of times",
        &state,
    );

    // A pulled cable is silence: nothing ends before the page itself gives up.
    visit
        .evaluate("delete document.querySelector('.live').dataset.gone")
        .await?;
    act(visit, "silence").await?;
    visit
        .until("document.querySelector('.live').dataset.gone")
        .await?;
    let state = visit.evaluate(STATE).await?;
    check(
        state["code"] == "1006" && state["closes"] == "3",
        "silence ended in another way",
        &state,
    );
    Ok(failures)
}

/// Waits until so many messages were answered.
async fn answered(visit: &mut Visit<'_>, count: u64) -> anyhow::Result<()> {
    let enough = format!("Number(document.querySelector('.answered dd').textContent) >= {count}");
    visit.until(&enough).await.map(drop)
}

/// Presses a button, once that is possible.
async fn act(visit: &mut Visit<'_>, name: &str) -> anyhow::Result<()> {
    visit
        .until("document.querySelector('.live').dataset.state === 'open'")
        .await?;
    let button = format!("document.querySelector('[data-act={name}]').click()");
    visit.evaluate(&button).await.map(drop)
}

/// The first and the last millisecond of the slot at the end of a reason.
fn slot(reason: &str) -> Option<(u64, u64)> {
    let (_, slot) = reason.rsplit_once("[after=")?;
    let (after, rest) = slot.split_once("ms")?;
    let after = after.parse().ok()?;
    let spread = match rest.trim().strip_prefix("spread=") {
        Some(spread) => spread.split_once("ms")?.0.parse().ok()?,
        None => 0,
    };
    Some((after, after + spread))
}
