//! [`Account`]: what became of all sessions and messages.

use std::collections::BTreeMap;
use std::time::Duration;

use revoir::session::Verdict;

use super::phase::Phase;
use super::walker::{Arrival, Walker};
use crate::server::locked;

/// Of resumes, so many of a thousand have the verdict that is specified.
const RIGHT_OF_1000: u64 = 999;

#[derive(Debug, Default)]
pub(super) struct Account {
    phases: BTreeMap<Phase, Returns>,
    up: Messages,
    down: Messages,
    /// Clients' messages that were neither taken nor returned.
    neither: u64,
    /// Of which clients were told that a backend may not have read them.
    maybe_lost: u64,
    /// Backends' messages of which clients were told that they will not come.
    told: u64,
}

/// How clients came back in one phase.
#[derive(Debug, Default)]
struct Returns {
    lost: u64,
    verdicts: BTreeMap<(&'static str, bool), u64>,
    wrong: u64,
    took: Vec<Duration>,
}

#[derive(Debug, Default)]
struct Messages {
    sent: u64,
    came: u64,
    doubled: u64,
    out_of_order: u64,
}

impl Messages {
    /// Counts, and says of each whether it came.
    fn add(&mut self, sent: u64, got: &[u64]) -> Vec<bool> {
        let mut came = vec![false; usize::try_from(sent).unwrap_or(0)];
        self.sent += sent;
        for number in got {
            let place = usize::try_from(*number).unwrap_or(usize::MAX);
            match came.get_mut(place) {
                Some(true) => self.doubled += 1,
                Some(place) => {
                    *place = true;
                    self.came += 1;
                }
                None => {}
            }
        }
        self.out_of_order += got.windows(2).filter(|pair| pair[0] > pair[1]).count() as u64;
        came
    }
}

/// Whether a verdict is what the specification says: with a store that was there all the time, `resumed`. A session that its owner had in
/// memory only is not resumed elsewhere; but the client may know that later than the store does.
fn is_specified(arrival: &Arrival) -> bool {
    match arrival.verdict {
        Verdict::Resumed => !arrival.was_volatile || arrival.stays,
        Verdict::New => arrival.phase == Phase::Start,
        Verdict::Epoch => arrival.was_volatile && !arrival.stays,
        _ => false,
    }
}

impl Account {
    pub(super) fn add(&mut self, walker: &Walker) {
        let (heard, talk) = (locked(&walker.heard), locked(&walker.talk));
        for phase in &heard.lost {
            self.phases.entry(*phase).or_default().lost += 1;
        }
        for arrival in &heard.arrivals {
            let returns = self.phases.entry(arrival.phase).or_default();
            let key = (arrival.verdict.id(), arrival.was_volatile);
            *returns.verdicts.entry(key).or_default() += 1;
            returns.wrong += u64::from(!is_specified(arrival));
            if arrival.verdict != Verdict::New {
                returns.took.push(arrival.took);
            }
        }
        let taken = self.up.add(heard.sent, &talk.got);
        let mut returned = vec![false; taken.len()];
        for number in &heard.returned {
            let place = usize::try_from(*number).unwrap_or(usize::MAX);
            if let Some(place) = returned.get_mut(place) {
                *place = true;
            }
        }
        let is_nowhere = |(taken, returned): &(&bool, &bool)| !**taken && !**returned;
        let nowhere = taken.iter().zip(&returned).filter(is_nowhere);
        self.neither += nowhere.count() as u64;
        self.maybe_lost += heard.maybe_lost;
        self.down.add(talk.sent, &heard.got);
        self.told += heard.missing;
    }

    pub(super) fn print(&self) {
        println!(
            "| | connections lost | verdicts (with *: the client knew that its session was in memory only) | not as specified | time to resume: p50, p99, longest |"
        );
        println!("|---|---:|---|---:|---:|");
        for phase in Phase::ALL {
            // That nobody lost a connection is a result as well.
            let nobody = Returns::default();
            self.phases
                .get(&phase)
                .unwrap_or(&nobody)
                .print(phase.name());
        }
        let Self { up, down, .. } = self;
        println!("\n| messages | of clients | of backends |\n|---|---:|---:|");
        println!("| sent | {} | {} |", up.sent, down.sent);
        println!("| came | {} | {} |", up.came, down.came);
        println!("| doubled | {} | {} |", up.doubled, down.doubled);
        println!(
            "| out of order | {} | {} |",
            up.out_of_order, down.out_of_order
        );
        println!(
            "| did not come | {}, of which {} were returned to their client | {} |",
            up.sent - up.came,
            up.sent - up.came - self.neither,
            down.sent - down.came
        );
        println!(
            "| told as lost, at most | {} | {} |\n",
            self.maybe_lost, self.told
        );
    }

    pub(super) fn holds(&self) -> anyhow::Result<()> {
        let doubled = self.up.doubled + self.down.doubled;
        let disordered = self.up.out_of_order + self.down.out_of_order;
        anyhow::ensure!(doubled == 0, "{doubled} doubled");
        anyhow::ensure!(disordered == 0, "{disordered} out of order");
        let (resumes, wrong) = { self.phases.values() }.fold((0, 0), |(all, wrong), it| {
            (all + it.took.len() as u64, wrong + it.wrong)
        });
        let right = resumes.saturating_sub(wrong);
        anyhow::ensure!(
            right * 1000 >= resumes * RIGHT_OF_1000,
            "{wrong} of {resumes} verdicts are not as specified"
        );
        anyhow::ensure!(
            self.neither <= self.maybe_lost,
            "{} messages of clients are nowhere, {} were told",
            self.neither,
            self.maybe_lost
        );
        Ok(())
    }
}

impl Returns {
    fn print(&self, name: &str) {
        let verdicts = self
            .verdicts
            .iter()
            .map(|((verdict, was_volatile), count)| {
                let mark = if *was_volatile { "*" } else { "" };
                format!("{count} {verdict}{mark}")
            });
        let verdicts: Vec<_> = verdicts.collect();
        let mut took = self.took.clone();
        took.sort();
        let at =
            |of_1000: usize| took.get((took.len() * of_1000 / 1000).min(took.len().max(1) - 1));
        let times = [500, 990, 1000].map(|share| at(share).map_or(0, Duration::as_millis));
        let [median, most, longest] = times;
        println!(
            "| {name} | {} | {} | {} | {median} ms, {most} ms, {longest} ms |",
            self.lost,
            verdicts.join(", "),
            self.wrong,
        );
    }
}
