//! [`Line`]: what is said on stderr, as text or as JSON.

use std::fmt::{self, Write};
use std::time::SystemTime;

use humantime::format_rfc3339_millis;
use revoir_gateway::config::LogFormat;
use revoir_gateway::json_line;
use serde_json::{Map, Value};
use tracing::Level;
use tracing::field::{Field, Visit};

use crate::printable;

/// The longest value on a line of text, in characters.
const SHOWN_CHARACTERS: usize = 500;

/// The field that has the text of an event.
const MESSAGE: &str = "message";

/// What is said, and when.
#[derive(Debug)]
pub(super) struct Line {
    at: SystemTime,
    level: Level,
    message: String,
    /// Not of an event: it stands on its own.
    is_note: bool,
    fields: Vec<(&'static str, Value)>,
}

impl Line {
    /// An event, without its fields: they are recorded afterwards.
    pub(super) fn event(level: Level) -> Self {
        Self {
            at: SystemTime::now(),
            level,
            message: String::new(),
            is_note: false,
            fields: Vec::new(),
        }
    }

    /// What the program says of itself.
    pub(super) fn note(level: Level, message: String) -> Self {
        Self {
            message,
            is_note: true,
            ..Self::event(level)
        }
    }

    /// So many of a kind were left out.
    pub(super) fn left_out(level: Level, count: u64, like: &str) -> Self {
        Self {
            message: format!("{count} more like this: {like}"),
            fields: vec![("left_out", count.into())],
            ..Self::event(level)
        }
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// The upstream that an event is about.
    pub(super) fn upstream(&self) -> Option<&str> {
        let mut fields = self.fields.iter();
        let (_, upstream) = fields.find(|(name, _)| *name == "upstream")?;
        upstream.as_str()
    }

    /// The line, with its end. No byte of a stranger can end it or steer a terminal.
    pub(super) fn print(&self, format: LogFormat) -> String {
        match format {
            LogFormat::Text if self.is_note => printable::lines(self.message.trim_end()) + "\n",
            LogFormat::Text => self.text(),
            LogFormat::Json => json_line(&self.json()),
        }
    }

    fn text(&self) -> String {
        let time = format_rfc3339_millis(self.at);
        let level = self.level.as_str().to_lowercase();
        let message = printable::one_line(&self.message, SHOWN_CHARACTERS);
        let mut line = format!("{time} {level}: {message}");
        for (name, value) in &self.fields {
            // The number stands in the message.
            if *name == "left_out" {
                continue;
            }
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let text = printable::one_line(&text, SHOWN_CHARACTERS);
            let is_word = !text.is_empty() && !text.contains([' ', '"', '=']);
            // Writing into memory does not fail.
            let _ = match is_word {
                true => write!(line, " {name}={text}"),
                false => write!(line, " {name}=\"{}\"", text.replace('"', "'")),
            };
        }
        line + "\n"
    }

    fn json(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let own: [(&str, Value); 4] = [
            ("event", "log".into()),
            ("time", format_rfc3339_millis(self.at).to_string().into()),
            ("level", self.level.as_str().to_lowercase().into()),
            (MESSAGE, self.message.trim_end().into()),
        ];
        let fields = self.fields.iter().cloned();
        for (name, value) in own.into_iter().chain(fields) {
            object.entry(name).or_insert(value);
        }
        object
    }

    fn push(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            (MESSAGE, Value::String(text)) => self.message = text,
            (name, value) => self.fields.push((name, value)),
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hostile() -> Line {
        Line {
            message: "it said\n\u{9b}31m".to_owned(),
            fields: vec![
                ("upstream", "127.0.0.1:9".into()),
                ("error", "a \"b\"\u{7f}\u{1b}[2J".into()),
                ("limit", 32.into()),
                ("level", "mine".into()),
            ],
            at: SystemTime::UNIX_EPOCH,
            ..Line::event(Level::WARN)
        }
    }

    #[test]
    fn text_is_one_line_without_control_characters() {
        let expected = "1970-01-01T00:00:00.000Z warn: it said\\n\\u{9b}31m upstream=127.0.0.1:9 \
                        error=\"a 'b'\\u{7f}\\u{1b}[2J\" limit=32 level=mine\n";
        assert_eq!(hostile().print(LogFormat::Text), expected);
    }

    #[test]
    fn json_is_one_line_without_control_characters() {
        let printed = hostile().print(LogFormat::Json);
        assert!(!printed.trim_end_matches('\n').contains(char::is_control));
        let object: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(object["message"], "it said\n\u{9b}31m");
        assert_eq!(object["level"], "warn", "an event cannot take it over");
        assert_eq!(object["limit"], 32);
    }

    #[test]
    fn a_note_stands_as_it_is() {
        let note = Line::note(Level::INFO, "listening on 127.0.0.1:1\n".to_owned());
        assert_eq!(note.print(LogFormat::Text), "listening on 127.0.0.1:1\n");
        let object: Value = serde_json::from_str(&note.print(LogFormat::Json)).unwrap();
        assert_eq!(object["message"], "listening on 127.0.0.1:1");
    }
}
