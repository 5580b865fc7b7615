//! [`Storm`]: clients that lose a server, and the server they come back to.

use std::borrow::Cow;
use std::time::Duration;

use fastrand::Rng;
use revoir::ending::{CloseFrame, Detail, Finish, Initiator, Slot};
use revoir::handshake::{Headers, Refused};
use revoir::{Cause, Ending, Reason, SendCode};

use crate::simulate::agenda::Agenda;
use crate::simulate::comeback::Comeback;
use crate::simulate::outcome::StormOutcome;

/// How long the connections had been open.
const OPEN_FOR: Duration = Duration::from_secs(3_600);

/// Clients lose a server at time zero, and come back to one that takes so many handshakes per
/// second.
#[derive(Clone, Debug)]
pub(crate) struct Storm {
    pub(crate) clients: u32,
    /// Handshakes per second that the server takes.
    pub(crate) capacity: u32,
    /// When the server is there again. Until then every attempt is refused by TCP.
    pub(crate) down: Duration,
    /// How long it takes until all clients have lost their connection, evenly spread.
    pub(crate) closing: Duration,
    pub(crate) loss: Loss,
    pub(crate) overload: Overload,
    /// When the simulation ends, whoever is still out.
    pub(crate) until: Duration,
    pub(crate) seed: u64,
}

/// How the clients lose their connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Close 1012, each with a slot of its own: the successor is ready after `ready_in`, and the
    /// slots fill `window` from then on.
    Slots {
        ready_in: Duration,
        window: Duration,
    },
    /// Close with this code, without a slot.
    Closed(SendCode),
    /// No Close frame: 1006.
    Cut,
}

/// What the server does with handshakes above its capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overload {
    /// It refuses them without a word.
    Refuse,
    /// It answers 503 with the time when there will be room (`Retry-After`).
    Slots,
}

impl Storm {
    /// Lets all clients come back by the rule of `comeback`. Equal storms give equal outcomes.
    pub(crate) fn run<C: Comeback>(&self, comeback: &C) -> StormOutcome {
        let mut random = Rng::with_seed(self.seed);
        let mut outcome = StormOutcome::new(self.clients);
        let mut server = Server::new(self);
        let mut crowd = Crowd::new(comeback, self.until);
        for (client, ending, at) in self.losses(&mut random) {
            debug_assert_eq!(client as usize, crowd.clients.len());
            crowd.clients.push((comeback.connected(&mut random), false));
            if !crowd.plan(client, at, &ending, &mut random) {
                outcome.gave_up += 1;
            }
        }
        while let Some((at, client)) = crowd.agenda.next() {
            outcome.attempt(at);
            let is_first = !std::mem::replace(&mut crowd.clients[client as usize].1, true);
            match server.handshake(at) {
                None => {
                    outcome.came_back(at);
                    outcome.first_try += u32::from(is_first);
                }
                Some(ending) if crowd.plan(client, at, &ending, &mut random) => {}
                Some(_) => outcome.gave_up += 1,
            }
        }
        outcome
    }

    /// Every client with its ending and the time when it learns of it.
    fn losses(&self, random: &mut Rng) -> Vec<(u32, Ending, Duration)> {
        let count = self.clients;
        let mut places: Vec<u32> = (0..count).collect();
        random.shuffle(&mut places);
        let one = |client: u32| {
            let place = places[client as usize];
            let at = self.closing.mul_f64(f64::from(client) / f64::from(count));
            (client, self.loss.ending(place, count, at, random), at)
        };
        (0..count).map(one).collect()
    }
}

impl Loss {
    /// The ending of the client whose slot is number `place` of `count`, closed at `at`.
    fn ending(self, place: u32, count: u32, at: Duration, random: &mut Rng) -> Ending {
        let (code, reason) = match self {
            Self::Cut => {
                let mut ending = Ending::never_opened(Cause::Eof, Detail::None);
                ending.finish = Finish::Eof;
                ending.open_for = OPEN_FOR;
                return ending;
            }
            Self::Closed(code) => (code, Reason::EMPTY),
            Self::Slots { ready_in, window } => {
                let width = window / count;
                let slot = width * place + width.mul_f64(random.f64());
                let after = (ready_in + slot).saturating_sub(at);
                (SendCode::SERVICE_RESTART, Slot::new(after).write("restart"))
            }
        };
        let mut ending = Ending::never_opened(Cause::ClosedByPeer, Detail::None);
        let frame = CloseFrame::new(code, reason);
        ending.finish = Finish::Answered;
        ending.initiator = Some(Initiator::Remote);
        ending.sent = Some(frame.answer());
        ending.received = Some(frame);
        ending.open_for = OPEN_FOR;
        ending
    }
}

/// All clients, and who tries when.
struct Crowd<'a, C: Comeback> {
    comeback: &'a C,
    /// The memory of each, and whether it has tried.
    clients: Vec<(C::Memory, bool)>,
    agenda: Agenda,
}

impl<'a, C: Comeback> Crowd<'a, C> {
    fn new(comeback: &'a C, until: Duration) -> Self {
        Self {
            comeback,
            clients: Vec::new(),
            agenda: Agenda::new(until),
        }
    }

    /// Whether the client tries again.
    fn plan(&mut self, client: u32, at: Duration, ending: &Ending, random: &mut Rng) -> bool {
        let memory = &mut self.clients[client as usize].0;
        let wait = self.comeback.wait(memory, ending, random);
        if let Some(wait) = wait {
            self.agenda.add(at + wait, client);
        }
        wait.is_some()
    }
}

/// A token bucket that holds one second's handshakes.
struct Server<'a> {
    storm: &'a Storm,
    tokens: f64,
    filled_at: Duration,
    /// Until when handshakes are promised, by those told to come back.
    promised: Duration,
    refused: Ending,
}

impl<'a> Server<'a> {
    fn new(storm: &'a Storm) -> Self {
        Self {
            storm,
            tokens: f64::from(storm.capacity),
            filled_at: storm.down,
            promised: storm.down,
            refused: Ending::never_opened(Cause::Refused, Detail::None),
        }
    }

    /// How the attempt ended, unless the client is in.
    fn handshake(&mut self, now: Duration) -> Option<Cow<'_, Ending>> {
        if now < self.storm.down {
            return Some(Cow::Borrowed(&self.refused));
        }
        let capacity = f64::from(self.storm.capacity);
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + passed * capacity).min(capacity);
        self.filled_at = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return None;
        }
        match self.storm.overload {
            Overload::Refuse => Some(Cow::Borrowed(&self.refused)),
            Overload::Slots => Some(Cow::Owned(self.later(now))),
        }
    }

    /// 503, with the second in which the next place that nobody was promised is free.
    fn later(&mut self, now: Duration) -> Ending {
        let place = Duration::from_secs_f64(1.0 / f64::from(self.storm.capacity));
        self.promised = self.promised.max(now) + place;
        let after = (self.promised - now).as_secs_f64().ceil();
        let mut headers = Headers::new();
        if let Err(error) = headers.push("Retry-After", format!("{after}")) {
            // A whole number is a field value.
            debug_assert!(false, "{error}");
        }
        Ending::from(Refused::new(503, headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::{FORMULAS, Ours};
    use revoir::Policy;

    fn storm(loss: Loss) -> Storm {
        Storm {
            clients: 9_000,
            capacity: 1_000,
            down: Duration::from_secs(3),
            closing: Duration::from_millis(200),
            loss,
            overload: Overload::Refuse,
            until: Duration::from_secs(600),
            seed: 1,
        }
    }

    const SLOTS: Loss = Loss::Slots {
        ready_in: Duration::from_secs(5),
        window: Duration::from_secs(30),
    };

    #[test]
    fn with_slots_everybody_comes_back_at_the_first_try_and_evenly() {
        let outcome = storm(SLOTS).run(&Ours(Policy::new()));
        assert_eq!(outcome.back, 9_000);
        assert_eq!(outcome.first_try, 9_000);
        assert!(outcome.peak_over_mean().unwrap() < 1.25);
        assert!(outcome.all.unwrap() <= Duration::from_secs(36));
    }

    #[test]
    fn without_a_close_frame_no_slot_of_100_ms_gets_more_than_6_of_100_clients() {
        let outcome = storm(Loss::Cut).run(&Ours(Policy::new()));
        assert_eq!(outcome.back, 9_000);
        assert!(outcome.fullest_slot() <= 540, "{}", outcome.fullest_slot());
    }

    #[test]
    fn a_constant_delay_keeps_the_clients_together() {
        let naive = FORMULAS.iter().find(|formula| formula.id == "naive");
        let outcome = storm(Loss::Cut).run(&naive.unwrap());
        assert!(outcome.fullest_second() >= 8_000);
    }

    #[test]
    fn equal_seeds_give_equal_storms() {
        let run = |seed| {
            let storm = Storm {
                clients: 500,
                seed,
                ..storm(Loss::Cut)
            };
            storm.run(&Ours(Policy::new()))
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn every_client_is_back_has_given_up_or_is_still_out_at_the_end() {
        for formula in FORMULAS {
            let storm = Storm {
                clients: 2_000,
                capacity: 100,
                until: Duration::from_secs(60),
                ..storm(Loss::Closed(SendCode::SERVICE_RESTART))
            };
            let outcome = storm.run(&formula);
            assert!(outcome.back + outcome.gave_up <= 2_000, "{}", formula.id);
            let returned: u32 = outcome.returned.iter().sum();
            assert_eq!(returned, outcome.back, "{}", formula.id);
            // One second's worth at once, and then the capacity.
            assert!(outcome.back <= 100 * 58 + 1, "{}", formula.id);
        }
    }

    #[test]
    fn a_server_that_says_when_sees_fewer_attempts() {
        let cut = Storm {
            capacity: 300,
            ..storm(Loss::Cut)
        };
        let told = Storm {
            overload: Overload::Slots,
            ..cut.clone()
        };
        let policy = Ours(Policy::new());
        assert!(told.run(&policy).attempts < cut.run(&policy).attempts);
    }
}
