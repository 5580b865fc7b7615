//! Every kind of page, in four languages, two widths and two colours.

use serde_json::Value;

use crate::visit::{DESKTOP, PHONE, Visit};

const PATHS: [&str; 14] = [
    "",
    "codes",
    "codes/1006",
    "codes/1012",
    "codes/1005",
    "codes/4001",
    "ranges/private",
    "compare",
    "compare/1006-vs-1012",
    "causes",
    "implementations",
    "products",
    "idle-timeouts",
    "search?q=nginx",
];

/// English, two that are translated whole, and one from right to left with labels only.
const LANGUAGES: [&str; 4] = ["en", "zh-hans", "fr", "ar"];

/// Rules that depend on width or colour; the others are checked once for each page.
const OF_LOOKS: &str = "{ runOnly: ['color-contrast', 'target-size', 'scrollable-region-focusable', \
     'link-in-text-block', 'meta-viewport'] }";

/// Runs axe-core. The nodes that break a rule, each with the rule.
const AXE: &str = "axe.run(document, OPTIONS).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`)))";

pub(crate) async fn check(visit: &mut Visit<'_>, axe: &str) -> anyhow::Result<Vec<String>> {
    let mut failures = Vec::new();
    for language in LANGUAGES {
        for path in PATHS {
            let path = format!("/{language}/{path}");
            visit.look(DESKTOP, false).await?;
            visit.go(&path).await?;
            visit.evaluate(&format!("{axe}\ntrue")).await?;
            for (size, dark) in [
                (DESKTOP, false),
                (DESKTOP, true),
                (PHONE, false),
                (PHONE, true),
            ] {
                visit.look(size, dark).await?;
                let whole = (size, dark) == (DESKTOP, false);
                let found = look(visit, whole).await?;
                let looks = format!("{}, {}", size.0, if dark { "dark" } else { "light" });
                failures.extend(
                    found
                        .iter()
                        .map(|found| format!("{path} ({looks}): {found}")),
                );
            }
            let problems = visit.problems();
            failures.extend(problems.iter().map(|found| format!("{path}: {found}")));
        }
    }
    Ok(failures)
}

/// What is wrong with a page as it is shown now.
async fn look(visit: &mut Visit<'_>, whole: bool) -> anyhow::Result<Vec<String>> {
    let options = if whole { "{}" } else { OF_LOOKS };
    let found = visit.evaluate(&AXE.replace("OPTIONS", options)).await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut problems: Vec<_> = found.as_array().into_iter().flatten().map(text).collect();
    let wider = "document.documentElement.scrollWidth > innerWidth";
    if visit.evaluate(wider).await? == true {
        problems.push("the page is wider than the window".to_owned());
    }
    Ok(problems)
}
