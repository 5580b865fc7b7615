//! The code that the reader means.

use revoir_codes::CloseCode;
use revoir_codes::catalog::{Found, Locale, explain, search};

use crate::exit::Failure;
use crate::output::Screen;
use crate::printable;

/// The most of the input that a message repeats, in characters.
const LONGEST: usize = 60;

/// A code, and a remark if it was not given as a plain number.
pub(crate) struct Named {
    pub(crate) code: CloseCode,
    pub(crate) remark: String,
}

/// The close code that `input` means.
pub(crate) fn close_code(input: &str, screen: &Screen) -> Result<Named, Failure> {
    let (locale, phrases) = (screen.locale, screen.locale.phrases());
    let problem = |problem: String, hint: String| Err(Failure::NotACloseCode { problem, hint });
    let shown = printable::one_line(input, LONGEST);
    let quoted = format!("`{shown}`");
    match search(input) {
        Found::Number(code) | Found::Name(code) if code.range().is_close_code() => Ok(Named {
            code,
            remark: remark(&shown, code, locale),
        }),
        Found::Number(code) | Found::Name(code) => {
            let number = code.get().to_string();
            problem(
                locale.filled(phrases.not_a_code, &[("input", &number)]),
                hint(code, locale),
            )
        }
        Found::OutOfBounds => problem(
            locale.filled(phrases.not_a_code, &[("input", &quoted)]),
            phrases.bounds_hint.to_owned(),
        ),
        Found::Several(codes) => {
            let names = codes.iter().map(|code| title(*code, locale));
            let codes = locale.list(names);
            problem(
                locale.filled(
                    phrases.several_codes,
                    &[("input", &quoted), ("codes", &codes)],
                ),
                locale.filled(phrases.several_hint, &[("command", "revoir compare")]),
            )
        }
        Found::Nothing => problem(
            locale.filled(phrases.no_match, &[("input", &quoted)]),
            nothing_hint(input, locale),
        ),
    }
}

fn remark(input: &str, code: CloseCode, locale: &Locale) -> String {
    if input == code.get().to_string() {
        return String::new();
    }
    format!("{}\n", locale.matched(input, code))
}

/// What to do about a text without a close code.
fn nothing_hint(input: &str, locale: &Locale) -> String {
    let phrases = locale.phrases();
    let (template, command) = if input.contains("://") {
        (phrases.no_match_line_hint, "revoir explain 1006")
    } else if input.trim().contains(' ') {
        (
            phrases.no_match_words_hint,
            "revoir diagnose --console \"…\"",
        )
    } else {
        (phrases.no_match_hint, "revoir codes")
    };
    locale.filled(template, &[("command", command)])
}

/// Why a number is no close code, and what would be.
fn hint(code: CloseCode, locale: &Locale) -> String {
    let phrases = locale.phrases();
    match code.get() {
        status @ 100..=599 => {
            locale.filled(phrases.status_hint, &[("status", &status.to_string())])
        }
        _ => phrases.bounds_hint.to_owned(),
    }
}

/// What is shown of an unregistered code in a title.
pub(crate) fn title(code: CloseCode, locale: &'static Locale) -> String {
    let text = explain(code, locale).text;
    format!("{} {}", code.get(), text.title)
}
