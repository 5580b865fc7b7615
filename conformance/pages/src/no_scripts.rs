//! The pages without JavaScript: everything but the lab and the suggestions of the search works.

use serde_json::json;

use crate::visit::{DESKTOP, PHONE, Visit};

/// Every kind of page that has something to press.
const PATHS: [&str; 9] = [
    "/en/",
    "/en/codes/1006",
    "/en/codes/1012",
    "/en/codes/4001",
    "/en/compare",
    "/en/compare/1006-vs-1012",
    "/en/causes",
    "/en/idle-timeouts",
    "/en/fixes",
];

/// What is shown, may be pressed or filled in, and does nothing without a script.
const IDLE: &str = "[...document.querySelectorAll('button, input, select, textarea')]
    .filter((control) => control.checkVisibility() && !control.closest('form[action]'))
    .map((control) => control.outerHTML.slice(0, 120))
    .join()";

/// What stands there and is not shown, but for what is folded and for the lab.
const HIDDEN: &str = "[...document.querySelectorAll('main section:not(.live, .forbid, .lab)')]
    .filter((section) => !section.checkVisibility() && !section.closest('details'))
    .map((section) => section.outerHTML.slice(0, 120))
    .join()";

pub(crate) async fn check(visit: &mut Visit<'_>) -> anyhow::Result<Vec<String>> {
    disable(visit, true).await?;
    let mut failures = Vec::new();
    for size in [DESKTOP, PHONE] {
        visit.look(size, false).await?;
        for path in PATHS {
            go(visit, path).await?;
            for (what, found) in [("does nothing", IDLE), ("is not shown", HIDDEN)] {
                let found = visit.evaluate(found).await?;
                if found != "" {
                    failures.push(format!("{path}, without scripts, {what}: {found}"));
                }
            }
        }
        for (what, right) in [
            ("the language menu", languages(visit).await?),
            ("a cause", cause(visit).await?),
            ("the search form", search(visit).await?),
        ] {
            if !right {
                failures.push(format!("{what} does not work without scripts"));
            }
        }
    }
    disable(visit, false).await?;
    Ok(failures)
}

async fn disable(visit: &mut Visit<'_>, value: bool) -> anyhow::Result<()> {
    let options = json!({ "value": value });
    visit
        .call("Emulation.setScriptExecutionDisabled", options)
        .await
        .map(drop)
}

/// Goes to a page without waiting for an event, which no script of ours would hear of.
async fn go(visit: &mut Visit<'_>, path: &str) -> anyhow::Result<()> {
    let url = visit.url(path);
    visit.call("Page.navigate", json!({ "url": url })).await?;
    visit
        .until(&format!(
            "location.href === '{url}' && document.readyState === 'complete'"
        ))
        .await
        .map(drop)
}

async fn languages(visit: &mut Visit<'_>) -> anyhow::Result<bool> {
    go(visit, "/en/codes/1006").await?;
    click(visit, ".languages summary").await?;
    visit
        .until("document.querySelector('.languages a[lang=vi]').checkVisibility()")
        .await?;
    click(visit, ".languages a[lang=vi]").await?;
    visit
        .until("location.pathname === '/vi/codes/1006'")
        .await?;
    Ok(true)
}

async fn cause(visit: &mut Visit<'_>) -> anyhow::Result<bool> {
    go(visit, "/en/causes").await?;
    click(visit, ".cause summary").await?;
    let shown = "document.querySelector('.cause dl').checkVisibility()";
    visit.until(shown).await.map(|shown| shown == true)
}

/// A query, and Enter.
async fn search(visit: &mut Visit<'_>) -> anyhow::Result<bool> {
    go(visit, "/en/codes").await?;
    click(visit, ".search input").await?;
    visit
        .call("Input.insertText", json!({ "text": "proxy_read_timeout" }))
        .await?;
    visit.press("Enter").await?;
    visit.until("location.pathname === '/en/search'").await?;
    let first = "document.querySelector('.results a')?.pathname ?? ''";
    visit
        .until(first)
        .await
        .map(|first| first == "/en/idle-timeouts")
}

/// A press of the mouse in the middle of an element, which is brought into view.
async fn click(visit: &mut Visit<'_>, selector: &str) -> anyhow::Result<()> {
    let place = format!(
        "(() => {{
            const element = document.querySelector('{selector}');
            element.scrollIntoView({{ block: 'center', behavior: 'instant' }});
            const {{ x, y, width, height }} = element.getBoundingClientRect();
            return [x + width / 2, y + height / 2];
        }})()"
    );
    let place = visit.evaluate(&place).await?;
    for kind in ["mousePressed", "mouseReleased"] {
        let event = json!({
            "type": kind,
            "x": place[0],
            "y": place[1],
            "button": "left",
            "clickCount": 1,
        });
        visit.call("Input.dispatchMouseEvent", event).await?;
    }
    Ok(())
}
