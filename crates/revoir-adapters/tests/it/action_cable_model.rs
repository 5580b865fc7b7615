//! Whatever came before: after a replay the server has the channels of the client, or nobody is
//! held.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::collection::vec;
use proptest::prelude::*;
use revoir_adapters::Protocol;

use crate::action_cable::{WELCOME, about};
use crate::relay::Relay;

/// The last one is refused.
const CHANNELS: [&str; 4] = ["a", "b", "c", "refused"];

#[derive(Clone, Debug)]
enum Step {
    Subscribe(usize),
    Unsubscribe(usize),
    Say(usize),
    /// So many messages of the server reach the client.
    Answer(usize),
    Lose,
    Return,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_usize).prop_map(Step::Subscribe),
        3 => (0..4_usize).prop_map(Step::Unsubscribe),
        1 => (0..4_usize).prop_map(Step::Say),
        4 => (1..4_usize).prop_map(Step::Answer),
        2 => Just(Step::Lose),
        3 => Just(Step::Return),
    ]
}

struct World {
    relay: Relay,
    is_there: bool,
    /// What the server has to say.
    answers: VecDeque<String>,
    server: BTreeSet<&'static str>,
    /// What the client asked for, and whether it knows that it has it.
    client: BTreeMap<&'static str, bool>,
    welcomes: usize,
}

impl World {
    fn settle(&mut self) {
        for text in self.relay.server_gets() {
            let channel = |what: &str| {
                let mut all = CHANNELS.into_iter();
                all.find(|channel| text == about("command", what, channel))
            };
            if let Some(channel) = channel("subscribe") {
                let kind = match channel {
                    "refused" => "reject_subscription",
                    // Rails does not answer a second one.
                    _ if !self.server.insert(channel) => continue,
                    _ => "confirm_subscription",
                };
                self.answers.push_back(about("type", kind, channel));
            } else if let Some(channel) = channel("unsubscribe") {
                self.server.remove(channel);
            }
        }
        for text in self.relay.client_gets() {
            self.welcomes += usize::from(text == WELCOME);
            for channel in CHANNELS {
                if text == about("type", "confirm_subscription", channel) {
                    // It may have unsubscribed meanwhile.
                    self.client.entry(channel).and_modify(|it| *it = true);
                } else if text == about("type", "reject_subscription", channel) {
                    self.client.remove(channel);
                }
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Subscribe(i) => {
                self.client.entry(CHANNELS[i]).or_insert(false);
                self.relay
                    .client_says(&about("command", "subscribe", CHANNELS[i]));
            }
            Step::Unsubscribe(i) => {
                self.client.remove(CHANNELS[i]);
                self.relay
                    .client_says(&about("command", "unsubscribe", CHANNELS[i]));
            }
            Step::Say(i) => self
                .relay
                .client_says(&about("command", "message", CHANNELS[i])),
            Step::Answer(count) => {
                for _ in 0..count {
                    self.answer();
                }
            }
            Step::Lose if self.is_there && self.relay.unholdable().is_none() => {
                self.is_there = false;
                self.answers.clear();
                self.server.clear();
                self.relay.lose().unwrap();
            }
            Step::Return if !self.is_there => {
                self.is_there = true;
                self.answers.push_back(WELCOME.to_owned());
                self.relay.back();
            }
            Step::Lose | Step::Return => {}
        }
        self.settle();
    }

    fn answer(&mut self) -> bool {
        let answer = self.answers.pop_front();
        if let Some(answer) = &answer {
            self.relay.server_says(answer);
            self.settle();
        }
        answer.is_some() && self.relay.ended.is_none()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn after_a_replay_the_servers_channels_are_the_clients(steps in vec(step(), 0..60)) {
        let mut world = World {
            relay: Relay::new(Protocol::ActionCable, ""),
            is_there: true,
            answers: VecDeque::from([WELCOME.to_owned()]),
            server: BTreeSet::new(),
            client: BTreeMap::new(),
            welcomes: 0,
        };
        world.answer();
        for step in &steps {
            if world.relay.ended.is_some() {
                return Ok(());
            }
            world.step(step);
        }
        world.step(&Step::Return);
        while world.answer() {}
        if world.relay.ended.is_none() {
            prop_assert_eq!(world.welcomes, 1);
            prop_assert!(world.relay.adapter.is_ready());
            world.client.remove("refused");
            let client: BTreeSet<_> = world.client.keys().copied().collect();
            prop_assert_eq!(client, world.server);
            prop_assert!(world.client.values().all(|&is_confirmed| is_confirmed));
        }
    }
}
