//! What a page says of itself to programs: JSON-LD with the terms of schema.org.

use serde_json::{Value, json};

use crate::pages::address::Address;
use crate::pages::frame::Frame;

impl Frame {
    /// What the page says of itself to programs.
    pub(crate) fn linked_data(&self) -> Option<String> {
        of(self)
    }
}

/// The data of a page about codes, ready to stand in a `script` element; `None` for other pages.
fn of(frame: &Frame) -> Option<String> {
    let codes = match frame.address {
        Address::Code(code) => vec![code],
        Address::Pair(a, b) => vec![a, b],
        _ => return None,
    };
    let set = frame.labels.site_title;
    let about: Vec<Value> = codes
        .into_iter()
        .map(|code| {
            let of = frame.explain(code);
            json!({
                "@type": "DefinedTerm",
                "termCode": code.get().to_string(),
                "name": of.text.title,
                "description": of.text.short,
                "inDefinedTermSet": set,
            })
        })
        .collect();
    let mut article = json!({
        "@context": "https://schema.org",
        "@type": "TechArticle",
        "headline": frame.title,
        "description": frame.description,
        "inLanguage": frame.locale.tag,
        "about": about,
        "license": "https://spdx.org/licenses/MIT",
    });
    if frame.base().is_some() {
        article["url"] = json!(frame.canonical());
        if let Some(picture) = frame.picture() {
            article["image"] = json!(picture);
        }
    }
    // Nothing in it ends the element.
    Some(article.to_string().replace('<', "\\u003c"))
}
