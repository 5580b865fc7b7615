//! `--policy FILE`: a policy as TOML, described in docs/policy.md.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use revoir::reconnect::{DelayClass, Profile, Rule};
use revoir::{Cause, Policy};
use serde::Deserialize;
use toml::Spanned;

use crate::args::values;
use crate::exit::Failure;

/// The policy in the file at `path`.
pub(super) fn read(path: &Path) -> Result<Policy, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::Impossible {
        problem: format!("--policy: cannot read {}: {error}", path.display()),
        hint: "use `default`, `registered`, or the path of a policy file (docs/policy.md)"
            .to_owned(),
    })?;
    parse(&text).map_err(|Wrong { line, what }| Failure::Impossible {
        problem: format!("--policy: {}:{line}: {what}", path.display()),
        hint: "docs/policy.md lists what is allowed there".to_owned(),
    })
}

/// What is wrong, and in which line, from 1.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    line: usize,
    what: String,
}

impl Wrong {
    fn at(text: &str, offset: usize, what: impl fmt::Display) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        Self {
            line: before.matches('\n').count() + 1,
            what: what.to_string(),
        }
    }
}

fn parse(text: &str) -> Result<Policy, Wrong> {
    let table: PolicyTable = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        Wrong::at(text, start, error.message())
    })?;
    let mut policy = match table.base {
        Base::Default => Policy::new(),
        Base::Registered => Policy::registered(),
    };
    if let Some(id) = table.profile {
        let start = id.span().start;
        let profile = Profile::from_id(id.get_ref()).ok_or_else(|| {
            let known = Profile::ALL.map(Profile::id).join(", ");
            Wrong::at(
                text,
                start,
                format!("no profile {:?}; choose one of {known}", id.get_ref()),
            )
        })?;
        policy = policy.with_profile(profile);
    }
    for entry in table.rules {
        let start = entry.span().start;
        let rule = entry.into_inner().rule();
        policy = policy.with_rule(rule.map_err(|what| Wrong::at(text, start, what))?);
    }
    Ok(match table.max_attempts {
        Some(attempts) => policy.with_max_attempts(attempts),
        None => policy,
    })
}

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PolicyTable {
    #[serde(default)]
    base: Base,
    profile: Option<Spanned<String>>,
    max_attempts: Option<u32>,
    #[serde(default, rename = "rule")]
    rules: Vec<Spanned<RuleTable>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Base {
    #[default]
    Default,
    Registered,
}

/// One `[[rule]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RuleTable {
    code: Option<Numbers>,
    status: Option<Numbers>,
    cause: Option<String>,
    name: Option<String>,
    #[serde(default)]
    stop: bool,
    class: Option<String>,
    delay: Option<[String; 2]>,
    attempts: Option<u16>,
}

/// `4001`, or `[4000, 4099]`.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number, or the first and the last one in brackets"
)]
enum Numbers {
    One(u16),
    Range([u16; 2]),
}

impl Numbers {
    fn range(&self) -> RangeInclusive<u16> {
        match *self {
            Self::One(number) => number..=number,
            Self::Range([first, last]) => first..=last,
        }
    }
}

impl RuleTable {
    fn rule(self) -> Result<Rule, String> {
        let mut rule = match (&self.code, &self.status, &self.cause) {
            (Some(codes), None, None) => Rule::codes(codes.range()),
            (None, Some(statuses), None) => Rule::statuses(statuses.range()),
            (None, None, Some(id)) => Rule::cause(cause(id)?),
            _ => return Err("a rule has exactly one of `code`, `status` and `cause`".to_owned()),
        };
        rule = match (self.stop, &self.class, &self.delay) {
            (true, None, None) => rule.stop(),
            (false, Some(id), None) => rule.with_class(class(id)?),
            (false, None, Some([from, to])) => rule.with_delay(delay(from)?..=delay(to)?),
            (false, None, None) => rule,
            _ => return Err("a rule has at most one of `stop`, `class` and `delay`".to_owned()),
        };
        if let Some(attempts) = self.attempts {
            rule = rule.at_most(attempts);
        }
        Ok(match self.name {
            Some(name) => rule.named(name),
            None => rule,
        })
    }
}

fn cause(id: &str) -> Result<Cause, String> {
    let found = Cause::ALL.into_iter().find(|cause| cause.id() == id);
    found.ok_or_else(|| {
        let known = Cause::ALL.map(Cause::id).join(", ");
        format!("no cause {id:?}; choose one of {known}")
    })
}

fn class(id: &str) -> Result<DelayClass, String> {
    let found = DelayClass::ALL.into_iter().find(|class| class.id() == id);
    found.ok_or_else(|| {
        let known = DelayClass::ALL.map(DelayClass::id).join(", ");
        format!("no class {id:?}; choose one of {known}")
    })
}

fn delay(text: &str) -> Result<Duration, String> {
    values::duration(text).map_err(|error| format!("{text:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_the_builder_says() {
        let text = r#"
            base = "registered"
            profile = "pusher"
            max-attempts = 7

            [[rule]]
            code = 4001
            name = "superseded"
            stop = true

            [[rule]]
            code = [4100, 4199]
            class = "slow"
            attempts = 3

            [[rule]]
            status = [500, 599]
            delay = ["30s", "1m"]

            [[rule]]
            cause = "eof"
        "#;
        let delay = Duration::from_secs(30)..=Duration::from_secs(60);
        let expected = Policy::registered()
            .with_profile(Profile::Pusher)
            .with_rule(Rule::code(4001).stop().named("superseded"))
            .with_rule(
                Rule::codes(4100..=4199)
                    .with_class(DelayClass::Slow)
                    .at_most(3),
            )
            .with_rule(Rule::statuses(500..=599).with_delay(delay))
            .with_rule(Rule::cause(Cause::Eof))
            .with_max_attempts(7);
        assert_eq!(parse(text), Ok(expected));
        assert_eq!(parse(""), Ok(Policy::new()));
    }

    #[test]
    fn the_page_shows_a_policy_and_every_key() {
        let page = include_str!("../../../docs/policy.md");
        let (_, rest) = page.split_once("```toml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        assert_ne!(parse(example), Ok(Policy::new()));
        let known = parse("[[rule]]\nx = 1").unwrap_err().what;
        for key in known.split('`').skip(3).step_by(2) {
            assert!(page.contains(&format!("\n| `{key}` |")), "{key}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line, words) in [
            ("base = \"mine\"", 1, "unknown variant `mine`"),
            ("\nbass = \"default\"", 2, "unknown field `bass`"),
            (
                "\n\nprofile = \"soccer\"",
                3,
                "no profile \"soccer\"; choose one of centrifugo,",
            ),
            (
                "[[rule]]\ncode = 1\n\n[[rule]]\nstop = true",
                4,
                "exactly one of `code`, `status`",
            ),
            (
                "[[rule]]\ncode = 1\nstop = true\nclass = \"slow\"",
                1,
                "at most one of `stop`,",
            ),
            (
                "[[rule]]\ncode = 1\nwait = \"5s\"",
                3,
                "unknown field `wait`",
            ),
            (
                "[[rule]]\ncode = \"all\"",
                2,
                "expected a number, or the first and the last",
            ),
            (
                "[[rule]]\ncause = \"bad luck\"",
                1,
                "no cause \"bad luck\"; choose one of closed-by-",
            ),
            (
                "[[rule]]\ncode = 1\nclass = \"lazy\"",
                1,
                "no class \"lazy\"; choose one of fast,",
            ),
            (
                "[[rule]]\ncode = 1\ndelay = [\"5\", \"6s\"]",
                1,
                "such as 400ms, 20s or 5m",
            ),
            ("max-attempts = -1", 1, "-1"),
            ("base = ", 1, ""),
        ] {
            let wrong = parse(text).expect_err(text);
            assert_eq!(wrong.line, line, "{text}: {wrong:?}");
            assert!(wrong.what.contains(words), "{text}: {wrong:?}");
        }
    }
}
