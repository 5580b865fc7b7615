//! Whole numbers and addresses of the command line: what is no such thing is told in words of our own, where the
//! parsers of the standard library tell of digits and targets.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use clap::builder::TypedValueParser;

/// A whole number that fits into `T` and lies within `range`, both ends included.
pub(crate) fn between<T>(range: RangeInclusive<T>) -> impl TypedValueParser<Value = T>
where
    T: TryFrom<u64> + PartialOrd + Display + Copy + Send + Sync + 'static,
{
    move |text: &str| {
        number(text)
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (first, last) = (range.start(), range.end());
                format!("expected a whole number from {first} to {last}")
            })
    }
}

/// A whole number that fits into `T`; `example` is one.
pub(crate) fn whole<T>(example: &'static str) -> impl TypedValueParser<Value = T>
where
    T: TryFrom<u64> + Copy + Send + Sync + 'static,
{
    move |text: &str| {
        number(text).ok_or_else(|| {
            let text = text.trim();
            // As `1e30` and 30 digits are.
            let is_huge = |number: f64| number.is_finite() && number >= 2_f64.powi(64);
            match text.parse::<u64>().is_ok() || text.parse().is_ok_and(is_huge) {
                true => format!("expected a smaller whole number, such as {example}"),
                false => format!("expected a whole number, such as {example}"),
            }
        })
    }
}

fn number<T: TryFrom<u64>>(text: &str) -> Option<T> {
    T::try_from(text.trim().parse().ok()?).ok()
}

/// The number of a close code, registered or not.
pub(crate) fn close_code(text: &str) -> Result<u16, String> {
    match number(text) {
        Some(code @ 1000..=4999) => Ok(code),
        Some(100..=599_u16) => Err(
            "expected a close code, from 1000 to 4999; the status of an HTTP response goes to --status"
                .to_owned(),
        ),
        _ => Err("expected a close code, from 1000 to 4999".to_owned()),
    }
}

/// An address of this machine and a port.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let parsed = text.trim().parse();
    parsed.map_err(|_| "expected an address and a port, such as 127.0.0.1:9090".to_owned())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::error::ErrorKind;
    use clap::{Command, CommandFactory};

    use super::*;
    use crate::args::Args;

    /// What the standard library and clap say of a value that they cannot read.
    const WORDS: [&str; 8] = [
        "invalid digit",
        "too large to fit",
        "cannot parse integer",
        "is not in",
        "out of range integral",
        "invalid socket address",
        "invalid IP address",
        "expected number at",
    ];

    #[test]
    fn what_is_no_whole_number_is_not_called_too_large() {
        let said = |text: &str| {
            let command =
                Command::new("x").arg(clap::Arg::new("n").value_parser(whole::<u32>("5")));
            let read = command.try_get_matches_from(["x", text]);
            read.unwrap_err().to_string()
        };
        for small in ["5.0", "1e3", "x", "1.5"] {
            assert!(said(small).contains("expected a whole number"), "{small}");
        }
        for large in ["1e30", "99999999999"] {
            assert!(said(large).contains("expected a smaller"), "{large}");
        }
    }

    #[test]
    fn every_option_says_of_a_bad_value_what_it_expects() {
        let mut program = Args::command();
        program.build();
        let mut found = Vec::new();
        look_at(&program, &mut Vec::new(), &mut found);
        assert!(found.len() > 100, "{found:?}");
        let foreign = |text: &&String| WORDS.iter().any(|word| text.contains(word));
        let foreign: Vec<_> = found.iter().filter(foreign).collect();
        assert!(foreign.is_empty(), "{foreign:#?}");
    }

    /// What every option of `command` says of values that hardly any takes.
    fn look_at(command: &Command, path: &mut Vec<String>, found: &mut Vec<String>) {
        path.push(command.get_name().to_owned());
        let valued = |arg: &&clap::Arg| arg.get_action().takes_values();
        for option in command.get_opts().filter(valued) {
            let Some(name) = option.get_long() else {
                continue;
            };
            for value in [
                "",
                "x",
                "-1",
                "1.5",
                "99999",
                "99999999999999999999999",
                "1e30",
            ] {
                let line = path.iter().map(OsString::from);
                let line = line.chain([format!("--{name}={value}").into()]);
                let Err(error) = Args::command().try_get_matches_from(line) else {
                    continue;
                };
                let text = error.to_string();
                if error.kind() == ErrorKind::ValueValidation {
                    assert!(text.contains(&format!("--{name}")), "{text}");
                    let value = format!("'{value}'");
                    assert!(text.contains(&value) || text.contains("'…'"), "{text}");
                    let said = text.lines().next().unwrap_or_default();
                    let reason = said.rsplit("': ").next().unwrap_or_default();
                    assert!(reason.len() > 10 && reason != said, "{text}");
                }
                found.push(text);
            }
        }
        for command in command.get_subcommands() {
            look_at(command, path, found);
        }
        path.pop();
    }

    #[test]
    fn a_number_is_within_its_bounds_or_told_them() {
        let parse = |text: &str| {
            let command = Command::new("x").arg(
                clap::Arg::new("n")
                    .long("n")
                    .value_parser(between(1..=10_u32)),
            );
            let matches = command.try_get_matches_from(["x", &format!("--n={text}")]);
            matches
                .map(|matches| *matches.get_one::<u32>("n").unwrap())
                .map_err(|error| error.to_string())
        };
        assert_eq!((parse("1"), parse(" 10 ")), (Ok(1), Ok(10)));
        for wrong in ["0", "11", "", "ten", "-1", "99999999999999999999"] {
            let error = parse(wrong).unwrap_err();
            let expected = format!(
                "invalid value '{wrong}' for '--n <n>': expected a whole number from 1 to 10\n"
            );
            assert!(error.contains(&expected), "{error}");
        }
    }

    #[test]
    fn a_status_is_no_close_code() {
        assert_eq!(close_code("1006"), Ok(1006));
        assert!(close_code("502").unwrap_err().contains("--status"));
        for wrong in ["abc", "99999", "0", "5000", ""] {
            let error = close_code(wrong).unwrap_err();
            assert_eq!(error, "expected a close code, from 1000 to 4999");
        }
    }
}
