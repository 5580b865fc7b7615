//! The pages as Chromium shows them: axe-core, widths, colours, and what goes wrong.

use serde_json::Value;

use crate::paths::Extent;
use crate::visit::{DESKTOP, PHONE, Visit, WIDER, WIDTHS};

/// How much is looked at. Layout in every language at every width is for the [other engine](crate::other_engine),
/// which is faster at it.
struct Depth {
    /// Languages, as paths begin, in which axe-core judges every page by all its rules.
    judged: &'static [&'static str],
    /// Languages in which it judges every page by the rules that words can break, and the pages, as paths end,
    /// that it judges so in every language.
    worded: &'static [&'static str],
    worded_everywhere: &'static [&'static str],
    /// Languages in which colours and the size of what is pressed are looked at, and how: neither depends on words.
    looked_at: &'static [&'static str],
    looks: &'static [((u32, u32), bool)],
    /// Languages in which every width is looked at. In the others it is the narrowest.
    sized: &'static [&'static str],
}

/// All that differs by kind of page in English, by direction in Arabic, and by words in what is translated whole; the
/// other languages have labels only.
const USUAL: Depth = Depth {
    judged: &["/en/", "/ar/"],
    worded: &["/fr/", "/vi/", "/zh-hans/"],
    worded_everywhere: &["/", "/codes/1006", "/compare/1006-vs-1012", "/causes"],
    looked_at: &["/en/"],
    looks: &[(DESKTOP, false), (PHONE, true)],
    sized: &["/en/", "/ar/"],
};

const WHOLE: Depth = Depth {
    judged: &["/"],
    worded: &[],
    worded_everywhere: &[],
    looked_at: &["/en/", "/ar/"],
    looks: &[
        (DESKTOP, false),
        (DESKTOP, true),
        (PHONE, false),
        (PHONE, true),
    ],
    sized: &["/"],
};

/// Rules that a text, its language or its lack can break.
const OF_WORDS: &str = "'html-has-lang', 'html-lang-valid', 'valid-lang', 'document-title', 'page-has-heading-one', \
     'empty-heading', 'button-name', 'link-name', 'label', 'select-name', 'summary-name', 'image-alt', 'svg-img-alt', \
     'role-img-alt', 'aria-command-name', 'aria-input-field-name', 'aria-toggle-field-name', 'duplicate-id-aria', \
     'empty-table-header', 'landmark-unique'";

/// Rules that depend on width or colour.
const OF_LOOKS: &str = "'color-contrast', 'target-size', 'scrollable-region-focusable', \
     'link-in-text-block', 'meta-viewport'";

/// Runs axe-core. The nodes that break a rule, each with the rule.
const AXE: &str = "axe.run(document, { OPTIONSpreload: false, resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`)))";

pub(crate) async fn check(
    visit: &mut Visit<'_>,
    axe: &str,
    paths: &[String],
    extent: &Extent,
) -> anyhow::Result<Vec<String>> {
    let depth = match extent {
        Extent::Kinds => USUAL,
        Extent::All(_) => WHOLE,
    };
    // Measuring colours takes most of the time.
    let without_looks = OF_LOOKS.replace(',', ": { enabled: false },");
    let without_looks = format!("rules: {{ {without_looks}: {{ enabled: false }} }}, ");
    let only = |rules: &str| format!("runOnly: [{rules}], ");
    let of_words = only(OF_WORDS);
    let of_looks = only(OF_LOOKS);
    let mut failures = Vec::new();
    for path in paths {
        let starts = |root: &&str| path.starts_with(*root);
        let ends = |end: &&str| path.ends_with(*end);
        visit.look(DESKTOP, false).await?;
        visit.go(path).await?;
        let rules = if depth.judged.iter().any(starts) {
            Some(&without_looks)
        } else {
            let worded = depth.worded.iter().any(starts);
            (worded || depth.worded_everywhere.iter().any(ends)).then_some(&of_words)
        };
        let mut found = Vec::new();
        if let Some(rules) = rules {
            visit.evaluate(&format!("{axe}\ntrue")).await?;
            found = broken_rules(visit, rules).await?;
        }
        if depth.looked_at.iter().any(starts) {
            for &(size, dark) in depth.looks {
                visit.look(size, dark).await?;
                let colours = if dark { "dark" } else { "light" };
                let broken = broken_rules(visit, &of_looks).await?;
                let told = broken.iter();
                found.extend(told.map(|one| format!("{}, {colours}: {one}", size.0)));
            }
        }
        let all_widths = depth.sized.iter().any(starts);
        let widths = if all_widths {
            &WIDTHS[..]
        } else {
            &WIDTHS[..1]
        };
        for &width in widths {
            visit.resize((width, 900)).await?;
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
