//! What became of all messages of a route, for each life of the gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::client::Client;
use super::gateway::How;
use super::route::Route;
use crate::server::locked;

/// How the lives of the gateway ended, and when.
pub(super) type Ends = [(How, Instant)];

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
    /// After SIGTERM, and after SIGKILL.
    after: [Missing; 2],
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

/// What a backend has said to gateways that ended in one way, and what did not come of it.
#[derive(Debug, Default)]
struct Missing {
    /// Lives of a gateway, as one session saw them, in which something is missing.
    lives: BTreeSet<usize>,
    messages: u64,
    /// The most of one session in one life.
    most: u64,
    /// Beyond what its client was told that will not come, and told that its backend is another one.
    beyond: u64,
    /// Of these the client was told nothing.
    untold: u64,
    /// How long before the end of the gateway the oldest of them was sent.
    oldest: Duration,
}

/// What one session has of one life of a gateway.
#[derive(Clone, Copy, Debug, Default)]
struct Life {
    missing: u64,
    /// As its client was told afterwards.
    told: u64,
    is_told_of_backend: bool,
    oldest: Duration,
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

impl Missing {
    fn add(&mut self, index: usize, life: &Life) {
        if life.missing == 0 {
            return;
        }
        self.lives.insert(index);
        self.messages += life.missing;
        self.most = self.most.max(life.missing);
        self.oldest = self.oldest.max(life.oldest);
        let beyond = life.missing.saturating_sub(life.told);
        match life.is_told_of_backend {
            true => self.beyond += beyond,
            false => self.untold += beyond,
        }
    }
}

impl Tally {
    pub(super) fn add(&mut self, client: &Client, ends: &Ends) {
        let (at_client, at_backend) = (
            locked(&client.talk.at_client),
            locked(&client.talk.at_backend),
        );
        for (_, verdict) in &at_client.verdicts {
            *self.verdicts.entry(verdict).or_default() += 1;
        }
        let taken = self.up.add(at_client.sent, &at_backend.got);
        let returned: BTreeSet<u64> = at_client.returned.iter().copied().collect();
        self.returned += returned.len() as u64;
        let is_nowhere = |number: &u64| !taken.contains(number) && !returned.contains(number);
        self.unaccounted += (0..at_client.sent).filter(is_nowhere).count() as u64;
        let sum = |told: &[(Instant, u64)]| told.iter().map(|(_, count)| count).sum::<u64>();
        self.maybe_lost += sum(&at_client.changes);
        self.told += sum(&at_client.missing);
        let got = self.down.add(at_backend.sent.len() as u64, &at_client.got);
        let mut lives = vec![Life::default(); ends.len()];
        // What was sent until it had ended went with this one.
        let sent_in = |at: &Instant| ends.iter().position(|(_, end)| end >= at);
        let told_of = |at: &Instant| ends.iter().rposition(|(_, end)| end <= at);
        for (number, sent) in &at_backend.sent {
            if let (false, Some(index)) = (got.contains(number), sent_in(sent)) {
                lives[index].missing += 1;
                lives[index].oldest = lives[index].oldest.max(ends[index].1 - *sent);
            }
        }
        for (at, count) in &at_client.missing {
            if let Some(index) = told_of(at) {
                lives[index].told += count;
            }
        }
        let fresh = at_client.verdicts.iter();
        let fresh = fresh.filter(|(_, verdict)| verdict.starts_with("fresh:"));
        let changed = at_client.changes.iter().map(|(at, _)| at);
        for at in changed.chain(fresh.map(|(at, _)| at)) {
            if let Some(index) = told_of(at) {
                lives[index].is_told_of_backend = true;
            }
        }
        for (index, life) in lives.iter().enumerate() {
            self.after[usize::from(ends[index].0 == How::Kill)].add(index, life);
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
            (
                "missing, of which the client was told nothing",
                self.after[0].untold + self.after[1].untold,
            ),
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
        let [term, kill] = &self.after;
        if term.messages > 0 {
            wrong.push(format!("{} are missing after SIGTERM", term.messages));
        }
        if is_before_send && self.told > 0 {
            wrong.push(format!("{} were told as missing", self.told));
        }
        if is_before_send && kill.messages > 0 {
            wrong.push(format!("{} are missing after SIGKILL", kill.messages));
        }
        if !is_before_send && kill.beyond > 0 {
            wrong.push(format!("{} are missing beyond a gap", kill.beyond));
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
    let both = |what: &str, value: &dyn Fn(&Missing) -> String| {
        row(what, &|tally| {
            let [term, kill] = &tally.after;
            format!("{}, {}", value(term), value(kill))
        });
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
    row("told as missing, at most", &|tally| tally.told.to_string());
    both("missing after SIGTERM, after SIGKILL", &|missing| {
        missing.messages.to_string()
    });
    both("lives of the gateway with any", &|missing| {
        missing.lives.len().to_string()
    });
    both("the most of one session in one life", &|missing| {
        missing.most.to_string()
    });
    both("the oldest, before the gateway had ended", &|missing| {
        format!("{} ms", missing.oldest.as_millis())
    });
    both(
        "beyond what that life was told to miss, and told of another backend",
        &|missing| missing.beyond.to_string(),
    );
    both("neither came nor told", &|missing| {
        missing.untold.to_string()
    });
    row("doubled, out of order, both ways", &|tally| {
        let doubled = tally.up.doubled + tally.down.doubled;
        format!(
            "{doubled}, {}",
            tally.up.out_of_order + tally.down.out_of_order
        )
    });
    println!();
}
