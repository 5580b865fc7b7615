//! The pages in Firefox: what its console says, and whether they fit.

use revoir_conformance::Firefox;
use serde_json::Value;

use crate::visit::{WIDER, WIDTHS};

/// What the policy of a page forbids is no entry of the log.
const NOTE_VIOLATIONS: &str = "() => {
    window.violations = [];
    addEventListener('securitypolicyviolation', (event) => {
        violations.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
}";

pub(crate) async fn check(
    firefox: &mut Firefox,
    origin: &str,
    paths: &[String],
) -> anyhow::Result<Vec<String>> {
    firefox
        .watch(&[
            "log.entryAdded",
            "network.responseCompleted",
            "network.fetchError",
        ])
        .await?;
    firefox.preload(NOTE_VIOLATIONS).await?;
    let mut failures = Vec::new();
    for path in paths {
        firefox.navigate(&format!("{origin}{path}")).await?;
        let mut found = Vec::new();
        for width in WIDTHS {
            firefox.resize(width, 900).await?;
            let wider = firefox.evaluate(WIDER).await?;
            if wider != "" {
                found.push(format!("wider than {width}: {wider}"));
            }
        }
        let forbidden = firefox.evaluate("violations.join()").await?;
        if forbidden != "" {
            found.push(format!("forbidden: {forbidden}"));
        }
        let events = firefox.take_events();
        found.extend(events.iter().filter_map(problem));
        failures.extend(
            found
                .iter()
                .map(|found| format!("Firefox, {path}: {found}")),
        );
    }
    Ok(failures)
}

fn problem((name, params): &(String, Value)) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match &**name {
        "log.entryAdded" if params["level"] == "error" => {
            Some(format!("console: {}", text(&params["text"])))
        }
        "network.responseCompleted" => {
            let response = &params["response"];
            let bad = response["status"].as_u64()? >= 400;
            bad.then(|| format!("HTTP {}: {}", response["status"], response["url"]))
        }
        // A request that the next page made superfluous.
        "network.fetchError" if params["errorText"] == "NS_BINDING_ABORTED" => None,
        "network.fetchError" => Some(format!("failed request: {}", text(&params["errorText"]))),
        _ => None,
    }
}
