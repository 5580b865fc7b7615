//! [`Environment`]: what the program takes from its surroundings.

use std::io::IsTerminal;

use revoir_codes::catalog::Locale;

/// The surroundings: whether somebody looks at a terminal, how wide it is, and the language.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The width of the terminal in columns; `None` if stdout is not a terminal.
    pub width: Option<usize>,
    /// Whether stderr is a terminal.
    pub err_terminal: bool,
    /// Whether stdout may be coloured.
    pub color: bool,
    /// Whether stderr may be coloured.
    pub err_color: bool,
    /// The language that the environment asks for.
    pub locale: &'static Locale,
}

impl Environment {
    /// A pipe, without colour, in English.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            width: None,
            err_terminal: false,
            color: false,
            err_color: false,
            locale: Locale::english(),
        }
    }

    /// The surroundings of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let colorful =
            !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let terminal = std::io::stdout().is_terminal();
        let err_terminal = std::io::stderr().is_terminal();
        Self {
            width: terminal.then(terminal_width),
            err_terminal,
            color: terminal && colorful,
            err_color: colorful && err_terminal,
            locale: locale_from(|name| std::env::var(name).ok()),
        }
    }
}

/// The columns of the terminal, or 80 if it does not say.
fn terminal_width() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0))
}

/// The language of the first variable that is set: `LC_ALL`, `LC_MESSAGES`, `LANG`. A language
/// that is not there is English.
fn locale_from(variable: impl Fn(&str) -> Option<String>) -> &'static Locale {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .and_then(|value| Locale::find(&value))
        .unwrap_or_else(|| Locale::english())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(variables: &[(&str, &str)]) -> &'static str {
        let find = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        locale_from(find).tag
    }

    #[test]
    fn the_first_variable_that_is_set_decides() {
        assert_eq!(tag(&[]), "en");
        assert_eq!(tag(&[("LANG", "fr_FR.UTF-8")]), "fr");
        assert_eq!(
            tag(&[("LANG", "fr_FR.UTF-8"), ("LC_MESSAGES", "vi_VN")]),
            "vi"
        );
        assert_eq!(tag(&[("LC_ALL", "C"), ("LANG", "fr_FR.UTF-8")]), "en");
        assert_eq!(tag(&[("LC_ALL", ""), ("LANG", "zh_CN.UTF-8")]), "zh-Hans");
        assert_eq!(tag(&[("LANG", "nl_NL.UTF-8")]), "en");
    }
}
