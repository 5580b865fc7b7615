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
    let problem = |problem: String, hint: &str| {
        Err(Failure::NotACloseCode {
            problem,
            hint: hint.to_owned(),
        })
    };
    let shown = printable::one_line(input, LONGEST);
    match search(input) {
        Found::Number(code) | Found::Name(code) if code.range().is_close_code() => Ok(Named {
            code,
            remark: remark(&shown, code, screen.locale),
        }),
        Found::Number(code) | Found::Name(code) => {
            problem(format!("{} is not a close code", code.get()), hint(code))
        }
        Found::OutOfBounds => problem(
            format!("`{shown}` is not a close code"),
            "close codes are 1000 to 4999",
        ),
        Found::Several(codes) => {
            let names: Vec<_> = codes.iter().map(ToString::to_string).collect();
            problem(
                format!("`{shown}` matches several codes: {}", names.join(", ")),
                "name one of them; to compare two codes, use `revoir compare`",
            )
        }
        Found::Nothing => problem(
            format!("`{shown}` matches no close code"),
            nothing_hint(input),
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
fn nothing_hint(input: &str) -> &'static str {
    if input.contains("://") {
        return "this text contains no close code; a connection that failed without one is 1006: \
                `revoir explain 1006`";
    }
    if input.trim().contains(' ') {
        return "a name is, for example, `going away`; for text from a console or a log, use \
                `revoir diagnose --console \"…\"`";
    }
    "use a number from 1000 to 4999 or a name such as `going away`; `revoir codes` lists them"
}

/// Why a number is no close code, and what would be.
fn hint(code: CloseCode) -> &'static str {
    match code.get() {
        100..=599 => "close codes range from 1000 to 4999; this looks like an HTTP status",
        _ => "close codes range from 1000 to 4999",
    }
}

/// What is shown of an unregistered code in a title.
pub(crate) fn title(code: CloseCode, locale: &'static Locale) -> String {
    let text = explain(code, locale).text;
    format!("{} {}", code.get(), text.title)
}
