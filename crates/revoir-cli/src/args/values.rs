//! What stands behind a flag, from text.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::TypedValueParser;
use revoir::{Reason, SendCode};
use revoir_codes::CodeRange;
use revoir_codes::catalog::Locale;

use revoir_gateway::config::Time;

/// A duration with its unit, as in the gateway's file: `400ms`, `20s`, `5m`, `1m 30s`. Only `0`
/// needs none.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    text.parse().map(|Time(duration)| duration)
}

/// A duration with its unit, or seconds without one: `60.1`, `1m 30s`.
pub(crate) fn duration_or_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.trim().parse::<f64>().ok();
    match seconds.map(Duration::try_from_secs_f64) {
        Some(Ok(duration)) => Ok(duration),
        Some(Err(_)) => Err("expected a number of seconds that is not negative".to_owned()),
        None => tenths_of_seconds(text).map_or_else(|| duration(text), Ok),
    }
}

/// `60.1s`, which is how an ending prints it.
fn tenths_of_seconds(text: &str) -> Option<Duration> {
    let seconds = text.trim().strip_suffix('s')?.trim_end();
    Duration::try_from_secs_f64(seconds.parse().ok()?).ok()
}

/// `yes` or `no`.
pub(crate) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("expected yes or no".to_owned()),
    }
}

/// What may let somebody in: a mistake in it is told without the value.
#[derive(Clone)]
pub(crate) struct Unrepeated<T>(pub(crate) fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Unrepeated<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        match value.to_str().map(self.0) {
            Some(Ok(parsed)) => Ok(parsed),
            // Errors of clap name the value that was parsed, so it is told of another one.
            _ => self.0.parse_ref(command, arg, OsStr::new("…")),
        }
    }
}

/// A header field as it stands in a request: `NAME: VALUE`. The name is one word: what is left of a
/// colon further on may be a secret, and later errors repeat the name.
pub(crate) fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if is_one_word(name.trim()) => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(
            "expected a name, a colon and a value, such as `Authorization: Bearer abc`".to_owned(),
        ),
    }
}

fn is_one_word(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::is_whitespace)
}

/// A duration that is not zero.
pub(crate) fn some_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("expected a duration above 0, such as 400ms, 20s or 5m".to_owned()),
        duration => Ok(duration),
    }
}

/// A cookie as it stands in a request: `NAME=VALUE`.
pub(crate) fn cookie(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.trim().is_empty() && !text.contains(';') => {
            Ok(text.trim().to_owned())
        }
        _ => {
            Err("expected a name, = and a value, such as `session=abc`, one per option".to_owned())
        }
    }
}

/// Whether and when to reconnect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PolicyChoice {
    Default,
    Registered,
    File(PathBuf),
}

impl From<OsString> for PolicyChoice {
    fn from(text: OsString) -> Self {
        match text.to_str() {
            Some("default") => Self::Default,
            Some("registered") => Self::Registered,
            _ => Self::File(text.into()),
        }
    }
}

/// What to close with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CloseWith {
    pub(crate) code: SendCode,
    pub(crate) reason: Reason,
}

/// What a server may close with: `CODE` or `CODE:REASON`.
pub(crate) fn close_with(text: &str) -> Result<CloseWith, String> {
    let (code, text) = text.split_once(':').unwrap_or((text, ""));
    let Ok(code) = code.trim().parse() else {
        return Err(
            "expected a code, optionally followed by a colon and a reason, such as 4001:bye"
                .to_owned(),
        );
    };
    let (code, reason) = (sendable_by_server(code)?, reason(text)?);
    Ok(CloseWith { code, reason })
}

/// A code that a server may close with.
pub(crate) fn server_code(text: &str) -> Result<SendCode, String> {
    match text.trim().parse() {
        Ok(code) => sendable_by_server(code),
        Err(_) => Err("expected a number, such as 1012 or 4001".to_owned()),
    }
}

fn sendable_by_server(code: u16) -> Result<SendCode, String> {
    let code = SendCode::try_from(code).map_err(|error| error.to_string())?;
    if code == SendCode::MANDATORY_EXT {
        return Err("1010 is for clients only (RFC 6455 section 7.4.1)".to_owned());
    }
    Ok(code)
}

/// What may stand in a Close frame beside the code.
pub(crate) fn reason(text: &str) -> Result<Reason, String> {
    Reason::new(text).map_err(|error| error.to_string())
}

/// The name of a connection, as a gateway gives it.
pub(crate) fn conn(text: &str) -> Result<String, String> {
    match text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        true if !text.is_empty() => Ok(text.to_owned()),
        _ => Err("expected a name such as 5f3a90c1-17; `revoir ctl list` shows them".to_owned()),
    }
}

pub(crate) fn language(tag: &str) -> Result<&'static Locale, String> {
    Locale::find(tag).ok_or_else(|| {
        let all: Vec<_> = Locale::all()
            .iter()
            .map(|locale| format!("{} ({})", locale.tag, locale.name))
            .collect();
        format!(
            "this language is not available; choose one of {}",
            all.join(", ")
        )
    })
}

/// Codes from and to, both included.
pub(crate) fn range(text: &str) -> Result<(u16, u16), String> {
    let name = text.trim().to_lowercase();
    // The unassigned numbers are those of the protocol, so their id is `protocol-unassigned`.
    let mut ranges = CodeRange::ALL.iter().filter(|of| of.is_close_code());
    let named = ranges.find(|of| of.id().trim_start_matches("protocol-") == name);
    if let Some(range) = named {
        return Ok(range.bounds());
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (Ok(first), Ok(last)) = (first.trim().parse(), last.trim().parse()) else {
        return Err(
            "expected protocol, unassigned, registered, private, a number, or two numbers \
                    such as 1000-1003"
                .to_owned(),
        );
    };
    if first > last {
        return Err(format!(
            "the range ends before it begins; did you mean {last}-{first}?"
        ));
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("400ms"), Ok(Duration::from_millis(400)));
        assert_eq!(duration("20s"), Ok(Duration::from_secs(20)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for text in ["", "20", "s", "-1s", "5 parsecs", "99999999999999999999s"] {
            let error = duration(text).unwrap_err();
            assert!(error.ends_with("such as 400ms, 20s or 5m"), "{error}");
        }
    }

    #[test]
    fn a_time_that_was_measured_may_be_seconds_without_a_unit() {
        let tenth = Duration::from_millis(60_100);
        for text in ["60.1", "60.1s", "60.1 s", "60s 100ms"] {
            assert_eq!(duration_or_seconds(text), Ok(tenth), "{text}");
        }
        assert_eq!(duration_or_seconds("2h"), Ok(Duration::from_secs(7200)));
        for text in ["", "-1", "NaN", "inf", "1 parsec"] {
            assert!(duration_or_seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_close_is_a_code_that_may_be_sent_and_a_reason() {
        let close = close_with("4001:bye: now").unwrap();
        assert_eq!(
            (close.code.get(), close.reason.as_str()),
            (4001, "bye: now")
        );
        assert_eq!(close_with("1012").unwrap().reason, Reason::EMPTY);
        for text in [
            "1006",
            "1010",
            "99999",
            "bye",
            "",
            &format!("1000:{}", "x".repeat(124)),
        ] {
            assert!(close_with(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_header_is_a_name_and_a_value() {
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(header("Cookie: a=b; c=d:e"), pair("Cookie", "a=b; c=d:e"));
        assert_eq!(header("X-Empty:"), pair("X-Empty", ""));
        assert!(header("Cookie").is_err() && header(": x").is_err());
        assert!(header("Authorization Bearer abc:def").is_err());
    }
}
