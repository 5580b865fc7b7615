//! What is shown where there is no page, with what may have been meant.

use askama::Template;
use revoir_codes::catalog::Locale;

use super::parts::written;
use crate::pages::address::Address;
use crate::pages::frame::Frame;
use crate::pages::links::{Home, Links};
use crate::pages::search::named;

/// So many pages are suggested at most.
const MOST: usize = 6;

#[derive(Template)]
#[template(path = "missing.html", whitespace = "minimize")]
struct MissingPage {
    frame: Frame,
    /// Why the number in the path is no close code.
    number: Option<String>,
    suggested: Vec<(String, String)>,
}

/// The page for a path that is not there, in a language that the path or the browser names.
pub(crate) fn page(path: &str, locale: &'static Locale, home: &Home) -> String {
    let frame = frame(locale, home);
    let words = words(path);
    let suggested = named(locale, &words)
        .into_iter()
        .take(MOST)
        .map(|entry| (entry.href(&frame), entry.title))
        .collect();
    written(&MissingPage {
        number: number(path, locale),
        frame,
        suggested,
    })
}

/// The page among files, which a script fills.
pub(in crate::pages) fn file(locale: &'static Locale, home: &Home) -> String {
    written(&MissingPage {
        frame: frame(locale, home),
        number: None,
        suggested: Vec::new(),
    })
}

/// The file that a host shows under every path that is not there.
pub(in crate::pages) fn anywhere(home: &Home) -> String {
    let mut frame = frame(Locale::english(), home);
    frame.set_links(Links::anywhere(home));
    written(&MissingPage {
        frame,
        number: None,
        suggested: Vec::new(),
    })
}

fn frame(locale: &'static Locale, home: &Home) -> Frame {
    Frame::new(
        Address::Missing,
        locale,
        home,
        locale.labels.page_missing.to_owned(),
        locale.phrases().missing_hint,
    )
}

/// The words of a path, but for a language before it.
fn words(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty());
    let parts: Vec<_> = parts
        .skip_while(|part| Locale::find(part).is_some())
        .map(|part| part.replace(['-', '_', '+', '.'], " "))
        .collect();
    parts.join(" ")
}

/// What is wrong with the number that a path ends with.
fn number(path: &str, locale: &Locale) -> Option<String> {
    let last = path.trim_end_matches('/').rsplit('/').next()?;
    let digits = last.strip_suffix(".html").unwrap_or(last);
    let number: u32 = digits.parse().ok()?;
    let phrases = locale.phrases();
    let template = match number {
        100..=599 => phrases.missing_status,
        _ => phrases.missing_code,
    };
    Some(locale.filled(template, &[("number", digits)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_words() {
        assert_eq!(words("/fr/codes/service-restart"), "codes service restart");
        assert_eq!(words("/nginx_timeout.html"), "nginx timeout html");
    }

    #[test]
    fn a_number_that_is_no_code_is_told() {
        let french = Locale::find("fr").unwrap();
        assert!(
            number("/fr/codes/404", french)
                .unwrap()
                .starts_with("404 ressemble")
        );
        assert!(number("/fr/codes/9999/", french).unwrap().contains("9999"));
        assert!(number("/fr/codes/x", french).is_none());
    }
}
