//! [`Screen`]: in which language and form to write.

use anstyle::{AnsiColor, Style};
use revoir_codes::catalog::Locale;
use revoir_codes::facts::Severity;

use crate::args::Common;
use crate::environment::Environment;

/// In which language and form to write.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    pub(crate) locale: &'static Locale,
    pub(crate) json: bool,
    /// The columns to wrap to; `None` to leave every paragraph on its line.
    pub(crate) width: Option<usize>,
    /// Whether stdout is a terminal.
    pub(crate) is_terminal: bool,
    /// Whether stderr is one.
    pub(crate) err_terminal: bool,
    color: bool,
}

/// Wider lines are tiring to read.
const WIDEST: usize = 110;

impl Screen {
    pub(crate) fn new(common: &Common, environment: &Environment) -> Self {
        Self {
            locale: common.lang.unwrap_or(environment.locale),
            json: common.json,
            width: environment.width.map(|width| width.clamp(20, WIDEST)),
            is_terminal: environment.width.is_some(),
            err_terminal: environment.err_terminal,
            color: environment.color,
        }
    }

    /// `text` in `style`, if colours are on.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if self.color {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn strong(&self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    pub(crate) fn faint(&self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// A code in the colour of its severity.
    pub(crate) fn code(&self, severity: Severity, text: &str) -> String {
        let color = match severity {
            Severity::Fine => AnsiColor::Green,
            Severity::Planned => AnsiColor::Cyan,
            Severity::Refused => AnsiColor::Yellow,
            Severity::Fault => AnsiColor::Red,
            Severity::Depends => AnsiColor::Blue,
        };
        self.paint(color.on_default().bold(), text)
    }
}
