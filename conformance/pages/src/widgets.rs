//! Menu, search, keyboard, colours and paper.

use anyhow::Context;
use serde_json::{Value, json};

use crate::visit::{DESKTOP, Visit};

pub(crate) async fn check(visit: &mut Visit<'_>) -> anyhow::Result<Vec<String>> {
    let mut failures = Vec::new();
    visit.look(DESKTOP, false).await?;
    for (what, right) in [
        ("the language menu", languages(visit).await?),
        ("closing the language menu", closing(visit).await?),
        ("the search", search(visit).await?),
        ("the skip link", skip(visit).await?),
        ("a pasted line that says when", pasted_time(visit).await?),
        (
            "a pasted line about another code",
            pasted_code(visit).await?,
        ),
        ("an address with two codes", chosen(visit).await?),
        ("dark colours", colours(visit).await?),
        ("printing", print(visit).await?),
    ] {
        if !right {
            failures.push(format!("{what} does not work"));
        }
    }
    failures.extend(visit.problems());
    Ok(failures)
}

/// The same page in another language, by the menu.
async fn languages(visit: &mut Visit<'_>) -> anyhow::Result<bool> {
    visit.go("/en/codes/1006").await?;
    visit
        .evaluate("document.querySelector('.languages summary').click()")
        .await?;
    let count = "document.querySelector('.languages').open
        && document.querySelectorAll('.languages a').length";
    let count = visit.evaluate(count).await?;
    let link = "document.querySelector('.languages a[lang=vi]').click()";
    visit.evaluate(link).await?;
    visit
        .until("location.pathname === '/vi/codes/1006'")
        .await?;
    Ok(count == 15)
}

/// The menu of languages closes on Escape, and on a press elsewhere.
async fn closing(visit: &mut Visit<'_>) -> anyhow::Result<bool> {
    visit.go("/en/codes/1006").await?;
    let open = "document.querySelector('.languages').open";
    let toggle = "document.querySelector('.languages summary').click()";
    visit.evaluate(toggle).await?;
    let opened = visit.evaluate(open).await?;
    visit.press("Escape").await?;
    visit.until(&format!("!{open}")).await?;
    let focus = "document.activeElement.matches('.languages summary')";
    let focus = visit.evaluate(focus).await?;
    visit.evaluate(toggle).await?;
    let again = visit.evaluate(open).await?;
    let press =
        json!({ "type": "mousePressed", "x": 5, "y": 600, "button": "left", "clickCount": 1 });
    visit.call("Input.dispatchMouseEvent", press).await?;
    visit.until(&format!("!{open}")).await?;
    Ok(opened == true && focus == true && again == true)
}

/// By the keyboard alone: `/`, a symptom, down, Enter.
async fn search(visit: &mut Visit<'_>) -> anyhow::Result<bool> {
    visit.go("/en/codes").await?;
    visit.press("/").await?;
    visit.until("document.activeElement?.name === 'q'").await?;
    visit
        .call("Input.insertText", json!({ "text": "proxy_read_timeout" }))
        .await?;
    visit
        .until("!document.querySelector('.found').hidden")
        .await?;
    visit.press("ArrowDown").await?;
    let chosen = "document.querySelector('.found [aria-selected=true] a')?.pathname ?? ''";
    let chosen = visit.until(chosen).await?;
    visit.press("Enter").await?;
    visit
        .until(&format!("location.pathname === {chosen}"))
        .await?;
    Ok(chosen == "/en/idle-timeouts")
}

/// Types a line into the form of the page of 1006.
async fn paste(visit: &mut Visit<'_>, line: &str) -> anyhow::Result<()> {
    visit.go("/en/codes/1006").await?;
    visit
        .evaluate("document.querySelector('#line').focus()")
        .await?;
    visit
        .call("Input.insertText", json!({ "text": line }))
        .await?;
    visit
        .until("document.querySelector('.quick').dataset.ranked")
        .await
        .map(drop)
}

/// The seconds in a line are those of the form.
async fn pasted_time(visit: &mut Visit<'_>) -> anyhow::Result<bool> {
    paste(visit, "it closes after exactly 60 seconds").await?;
    let filled = "document.querySelector('#seconds').checkVisibility()
        && document.querySelector('#seconds').value === '60'
        && document.querySelector('[name=when]:checked').value === 'open'
        && document.querySelector('.likely li').dataset.cause === 'idle-proxy'";
    visit.evaluate(filled).await.map(|filled| filled == true)
}

/// A line that names another code has its causes, and a link to its page.
async fn pasted_code(visit: &mut Visit<'_>) -> anyhow::Result<bool> {
    paste(visit, "WebSocket closed with code 1012 (service restart)").await?;
    let leads = "document.querySelector('.says a').pathname === '/en/codes/1012'
        && document.querySelector('.likely li').dataset.cause === 'announced-restart'";
    visit.evaluate(leads).await.map(|leads| leads == true)
}

/// The chooser of comparisons, with what it asks for.
async fn chosen(visit: &mut Visit<'_>) -> anyhow::Result<bool> {
    visit.go("/en/compare?a=1012&b=1006").await?;
    let path = visit.evaluate("location.pathname").await?;
    Ok(path == "/en/compare/1006-vs-1012")
}

/// The first press of Tab leads past the menu.
async fn skip(visit: &mut Visit<'_>) -> anyhow::Result<bool> {
    visit.go("/en/codes").await?;
    visit.press("Tab").await?;
    let class = visit.evaluate("document.activeElement.className").await?;
    visit.press("Enter").await?;
    visit
        .until("document.activeElement.id === 'content'")
        .await?;
    Ok(class == "skip")
}

async fn colours(visit: &mut Visit<'_>) -> anyhow::Result<bool> {
    let paper = "getComputedStyle(document.body).backgroundColor";
    let light = visit.evaluate(paper).await?;
    visit.look(DESKTOP, true).await?;
    let dark = visit.evaluate(paper).await?;
    visit.look(DESKTOP, false).await?;
    Ok(light != dark && brightness(&light)? > 200 && brightness(&dark)? < 60)
}

/// The first number of `rgb(253, 252, 249)`.
fn brightness(color: &Value) -> anyhow::Result<u32> {
    let text = color.as_str().context("a colour")?;
    let digits = text.trim_start_matches("rgb(").split(',').next();
    Ok(digits.context("a number")?.parse()?)
}

/// On paper there is no menu.
async fn print(visit: &mut Visit<'_>) -> anyhow::Result<bool> {
    visit.go("/en/codes/1012").await?;
    visit
        .call("Emulation.setEmulatedMedia", json!({ "media": "print" }))
        .await?;
    let hidden = "['.top nav', '.search', '.lab', '.forbid'].every((selector) =>
        getComputedStyle(document.querySelector(selector)).display === 'none')";
    let hidden = visit.evaluate(hidden).await?;
    visit
        .call("Emulation.setEmulatedMedia", json!({ "media": "" }))
        .await?;
    let printed = visit.call("Page.printToPDF", json!({})).await?;
    let length = printed["data"].as_str().map_or(0, str::len);
    Ok(hidden == true && length > 10_000)
}
