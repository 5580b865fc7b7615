//! `testdata/policy/browser.json`: what a page makes of the little that it sees of an ending, and what
//! the policy decides about it.

use std::time::SystemTime;

use revoir::Policy;
use revoir::reconnect::History;
use serde::Serialize;

use super::format::{DecisionJson, EndingJson};
use super::lines;

/// Halfway through every range.
const RANDOM: u32 = 1 << 31;

/// What a page sees.
#[derive(Clone, Copy, Debug, Serialize)]
struct Seen {
    code: u16,
    opened: bool,
    own_close: bool,
    offline: bool,
    frozen: bool,
    /// Which timer of the page ended it.
    timeout: Option<&'static str>,
}

/// With the cause that the application is told, and the one that the policy is asked about.
#[derive(Clone, Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    seen: Seen,
    cause: &'static str,
    decided_as: &'static str,
    decision: DecisionJson,
}

impl Seen {
    /// The first line that fits counts.
    fn cause(self) -> &'static str {
        match (self.timeout, self.code) {
            (Some("connect"), _) => "connect-timeout",
            (Some(_), _) => "pong-timeout",
            _ if self.own_close => "closed-locally",
            (None, 1015) => "tls-failed",
            (None, 1006) if !self.opened => "never-opened",
            (None, 1006) if self.offline || self.frozen => "lost-locally",
            (None, 1006) => "lost",
            (None, _) => "closed-by-peer",
        }
    }

    fn decided(self) -> Row {
        let cause = self.cause();
        let decided_as = decided_as(cause);
        let ending = EndingJson {
            cause: decided_as.to_owned(),
            code: match decided_as {
                "closed-by-peer" | "tls-failed" => self.code,
                // The library has no peer's code where something else began the ending.
                _ => 1006,
            },
            ..EndingJson::default()
        };
        let now = SystemTime::UNIX_EPOCH;
        let decision = Policy::new().decide(&ending.build(), &History::new(), now, RANDOM);
        Row {
            seen: self,
            cause,
            decided_as,
            decision: DecisionJson::of(&decision),
        }
    }
}

/// The cause of the library with the same decision: `lost` may have been a FIN as well as a reset, and
/// what concerns this device alone is like its own verdict on a silent peer.
fn decided_as(cause: &'static str) -> &'static str {
    match cause {
        "never-opened" | "lost" => "eof",
        "lost-locally" => "pong-timeout",
        other => other,
    }
}

/// Everything that can be seen: a code only of what was open, 1015 only of what was not.
fn all() -> Vec<Seen> {
    let ends = [
        (1000, true),
        (1001, true),
        (1005, true),
        (1006, true),
        (1006, false),
        (1012, true),
        (1015, false),
        (3008, true),
        (4000, true),
    ];
    let timers = [(false, "connect"), (true, "heartbeat")];
    let seen = |code, opened, flags: u8, timeout| Seen {
        code,
        opened,
        own_close: flags & 4 != 0,
        offline: flags & 2 != 0,
        frozen: flags & 1 != 0,
        timeout,
    };
    let ended = ends
        .into_iter()
        .flat_map(|(code, opened)| (0..8).map(move |flags| seen(code, opened, flags, None)));
    let timed = timers.map(|(opened, timer)| seen(1006, opened, 0, Some(timer)));
    ended.chain(timed).collect()
}

pub(super) fn text() -> String {
    format!("[\n{}\n]\n", lines(all().into_iter().map(Seen::decided)))
}
