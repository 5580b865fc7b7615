//! The pages as Chromium shows them: axe-core, widths, colours, and what goes wrong.

use serde_json::Value;

use crate::visit::{DESKTOP, PHONE, Visit, WIDER, WIDTHS};

/// Languages in which axe-core judges every kind of page: two translated whole, one with labels only from right to
/// left, and English.
const JUDGED: [&str; 4] = ["/en/", "/zh-hans/", "/fr/", "/ar/"];

/// What it judges in the others, where only words differ.
const JUDGED_EVERYWHERE: [&str; 4] = ["/", "/codes/1006", "/compare/1006-vs-1012", "/causes"];

/// Where width and colour are looked at: they do not depend on the language but for its direction.
const LOOKED_AT: [&str; 2] = ["/en/", "/ar/"];

/// Rules that depend on width or colour.
const OF_LOOKS: &str = "'color-contrast', 'target-size', 'scrollable-region-focusable', \
     'link-in-text-block', 'meta-viewport'";

/// Runs axe-core. The nodes that break a rule, each with the rule.
const AXE: &str = "axe.run(document, { OPTIONSresultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`)))";

pub(crate) async fn check(
    visit: &mut Visit<'_>,
    axe: &str,
    paths: &[String],
) -> anyhow::Result<Vec<String>> {
    let mut failures = Vec::new();
    for path in paths {
        visit.look(DESKTOP, false).await?;
        visit.go(path).await?;
        let mut found = Vec::new();
        let starts = |root: &&str| path.starts_with(*root);
        if JUDGED.iter().any(starts) || JUDGED_EVERYWHERE.iter().any(|end| path.ends_with(end)) {
            visit.evaluate(&format!("{axe}\ntrue")).await?;
            // Measuring colours takes most of the time.
            let without = OF_LOOKS.replace(',', ": { enabled: false },");
            let without = format!("rules: {{ {without}: {{ enabled: false }} }}, ");
            found = broken_rules(visit, &without).await?;
        }
        if LOOKED_AT.iter().any(starts) {
            let looks = [
                (DESKTOP, false),
                (DESKTOP, true),
                (PHONE, false),
                (PHONE, true),
            ];
            for (size, dark) in looks {
                visit.look(size, dark).await?;
                let colours = if dark { "dark" } else { "light" };
                let broken = broken_rules(visit, &format!("runOnly: [{OF_LOOKS}], ")).await?;
                let told = broken.iter();
                found.extend(told.map(|one| format!("{}, {colours}: {one}", size.0)));
            }
        }
        for width in WIDTHS {
            visit.look((width, 900), false).await?;
            let wider = visit.evaluate(WIDER).await?;
            if wider != "" {
                found.push(format!("wider than {width}: {wider}"));
            }
        }
        found.extend(visit.problems());
        failures.extend(found.iter().map(|found| format!("{path}: {found}")));
    }
    Ok(failures)
}

/// The rules of axe-core that the page breaks as it is shown now.
async fn broken_rules(visit: &mut Visit<'_>, options: &str) -> anyhow::Result<Vec<String>> {
    let found = visit.evaluate(&AXE.replace("OPTIONS", options)).await?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(found.as_array().into_iter().flatten().map(text).collect())
}
