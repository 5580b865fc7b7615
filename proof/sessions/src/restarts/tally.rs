//! What became of all messages of a route.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::Route;
use super::backend::locked;
use super::client::Client;
use super::gateway::How;

#[derive(Debug, Default)]
pub(super) struct Tally {
    verdicts: BTreeMap<&'static str, u64>,
    /// Of the clients' messages.
    up: Direction,
    /// They came back to their client.
    returned: u64,
    /// Neither taken nor returned.
    unaccounted: u64,
    /// Of which clients were told that their backend may not have read them.
    maybe_lost: u64,
    /// Of the backend's messages.
    down: Direction,
    /// Missing, of those that were sent before a SIGTERM, and before a SIGKILL.
    lost: [u64; 2],
    /// How long before the end of the gateway the oldest of them was sent.
    oldest: Duration,
    /// Messages of which clients were told that they will not come, at most.
    told: u64,
}

#[derive(Debug, Default)]
struct Direction {
    sent: u64,
    got: u64,
    doubled: u64,
    out_of_order: u64,
}

impl Direction {
    /// Counts, and says which came.
    fn add(&mut self, sent: u64, got: &[u64]) -> BTreeSet<u64> {
        let all: BTreeSet<u64> = got.iter().copied().collect();
        self.sent += sent;
        self.got += all.len() as u64;
        self.doubled += (got.len() - all.len()) as u64;
        self.out_of_order += got.windows(2).filter(|pair| pair[0] > pair[1]).count() as u64;
        all
    }
}

impl Tally {
    pub(super) fn add(&mut self, client: &Client, ends: &[(How, Instant)]) {
        let (at_client, at_backend) = (
            locked(&client.talk.at_client),
            locked(&client.talk.at_backend),
        );
        for verdict in &at_client.verdicts {
            *self.verdicts.entry(verdict).or_default() += 1;
        }
        let taken = self.up.add(at_client.sent, &at_backend.got);
        let returned: BTreeSet<u64> = at_client.returned.iter().copied().collect();
        self.returned += returned.len() as u64;
        let is_nowhere = |number: &u64| !taken.contains(number) && !returned.contains(number);
        self.unaccounted += (0..at_client.sent).filter(is_nowhere).count() as u64;
        self.maybe_lost += at_client.maybe_lost;
        let got = self.down.add(at_backend.sent.len() as u64, &at_client.got);
        self.told += at_client.missing;
        for (number, sent) in at_backend.sent.iter().enumerate() {
            let end = ends.iter().find(|(_, end)| end >= sent);
            if let (false, Some((how, end))) = (got.contains(&(number as u64)), end) {
                self.lost[usize::from(*how == How::Kill)] += 1;
                self.oldest = self.oldest.max(*end - *sent);
            }
        }
    }

    /// What is not as promised of sessions that are told this verdict.
    pub(super) fn wrong(&self, verdict: &'static str) -> Vec<String> {
        let mut wrong = Vec::new();
        let others = self.verdicts.iter();
        let others: Vec<_> = others
            .filter(|(one, _)| **one != "new" && **one != verdict)
            .collect();
        if !others.is_empty() {
            wrong.push(format!("verdicts are {others:?}, not {verdict}"));
        }
        for (what, count) in [
            ("doubled", self.up.doubled + self.down.doubled),
            (
                "out of order",
                self.up.out_of_order + self.down.out_of_order,
            ),
            ("neither taken nor returned", self.unaccounted),
        ] {
            if count > 0 {
                wrong.push(format!("{count} {what}"));
            }
        }
        wrong
    }

    /// What is not as promised of sessions that are in a store.
    pub(super) fn wrong_in_store(&self, is_before_send: bool) -> Vec<String> {
        let mut wrong = Vec::new();
        let lost = self.lost[0] + self.lost[1];
        if self.lost[0] > 0 {
            wrong.push(format!("{} are missing after SIGTERM", self.lost[0]));
        }
        if is_before_send && self.told > 0 {
            wrong.push(format!("{} were told as missing", self.told));
        }
        if !is_before_send && lost > self.told {
            wrong.push(format!("{lost} are missing, and {} were told", self.told));
        }
        wrong
    }
}

/// A column for each route.
pub(super) fn print(tallies: &[(Route, Tally)]) {
    let row = |what: &str, value: &dyn Fn(&Tally) -> String| {
        let values: Vec<_> = tallies.iter().map(|(_, tally)| value(tally)).collect();
        println!("| {what} | {} |", values.join(" | "));
    };
    let names: Vec<_> = tallies.iter().map(|(route, _)| route.path()).collect();
    println!("| | `{}` |", names.join("` | `"));
    println!("|---|{}", "---:|".repeat(tallies.len()));
    row("verdicts", &|tally| {
        let all = tally.verdicts.iter();
        let all: Vec<_> = all.map(|(name, count)| format!("{count} {name}")).collect();
        all.join(", ")
    });
    row("messages of clients", &|tally| tally.up.sent.to_string());
    row("taken by the backend", &|tally| tally.up.got.to_string());
    row("returned to their client", &|tally| {
        tally.returned.to_string()
    });
    row("neither", &|tally| tally.unaccounted.to_string());
    row("messages of the backend", &|tally| {
        tally.down.sent.to_string()
    });
    row("that came", &|tally| tally.down.got.to_string());
    row("missing after SIGTERM, after SIGKILL", &|tally| {
        format!("{}, {}", tally.lost[0], tally.lost[1])
    });
    row(
        "the oldest of them, before the end of the gateway",
        &|tally| format!("{} ms", tally.oldest.as_millis()),
    );
    row("told as missing, at most", &|tally| tally.told.to_string());
    row("doubled, out of order, both ways", &|tally| {
        let doubled = tally.up.doubled + tally.down.doubled;
        format!(
            "{doubled}, {}",
            tally.up.out_of_order + tally.down.out_of_order
        )
    });
    println!();
}
