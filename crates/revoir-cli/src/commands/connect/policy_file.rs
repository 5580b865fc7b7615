//! `--policy FILE`: a policy as TOML, described in docs/policy.md.

use std::fmt;
use std::path::Path;

use revoir::Policy;

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
    let policy: Policy = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        Wrong::at(text, start, error.message())
    })?;
    // There is nothing here that gets credentials.
    Ok(policy.with_refresh(false))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use revoir::Cause;
    use revoir::reconnect::{DelayClass, Profile, Rule};

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
