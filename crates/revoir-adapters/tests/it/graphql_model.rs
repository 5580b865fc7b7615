//! GraphQL's property: whatever came before, after a replay the server runs the subscriptions that
//! the client has open, and no query or mutation runs twice. Or the connection may not be held.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use revoir_adapters::{OwnedMessage, Protocol};

use crate::graphql::{start, stop};
use crate::relay::Relay;

#[derive(Clone, Debug)]
enum Step {
    Start {
        is_subscription: bool,
    },
    Stop(usize),
    Results,
    /// The server ends an operation.
    Ends(usize, bool),
    Acks,
    ClientPings,
    ServerPings,
    ToServer(usize),
    ToClient(usize),
    Lose,
    Back,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => prop::bool::weighted(0.8).prop_map(|is_subscription| Step::Start { is_subscription }),
        2 => any::<usize>().prop_map(Step::Stop),
        2 => Just(Step::Results),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, fails)| Step::Ends(which, fails)),
        3 => Just(Step::Acks),
        1 => Just(Step::ClientPings),
        1 => Just(Step::ServerPings),
        4 => (1..4_usize).prop_map(Step::ToServer),
        4 => (1..4_usize).prop_map(Step::ToClient),
        2 => Just(Step::Lose),
        3 => Just(Step::Back),
    ]
}

/// A server: it panics where real ones close the connection.
#[derive(Debug, Default)]
struct Server {
    is_greeted: bool,
    has_acked: bool,
    open: BTreeMap<String, bool>,
    pings: u32,
}

#[derive(Debug)]
struct World {
    protocol: Protocol,
    relay: Relay,
    is_there: bool,
    server: Server,
    /// What the client has open, and whether that is a subscription.
    open: BTreeMap<String, bool>,
    /// Whether the client has had its ack.
    is_welcome: bool,
    /// Pings of the client that are not answered.
    pings: u32,
    next: u32,
    /// Queries and mutations that any server has run.
    ran: BTreeSet<String>,
}

impl World {
    fn new(protocol: Protocol) -> Self {
        let mut relay = Relay::new(protocol, "");
        relay.client_says(r#"{"type":"connection_init","payload":{"token":"t"}}"#);
        Self {
            protocol,
            relay,
            is_there: true,
            server: Server::default(),
            open: BTreeMap::new(),
            is_welcome: false,
            pings: 0,
            next: 0,
            ran: BTreeSet::new(),
        }
    }

    /// graphql-transport-ws has pings, and clients that wait for the ack.
    fn is_new(&self) -> bool {
        self.protocol == Protocol::GraphqlTransportWs
    }

    fn reach_server(&mut self, count: usize) {
        for _ in 0..count {
            let Some(message) = self.relay.to_server.pop_front() else {
                break;
            };
            let text = text(&message);
            let (kind, id) = kind(&text);
            match kind.as_str() {
                "connection_init" => {
                    assert!(!self.server.is_greeted, "too many hellos");
                    assert!(text.contains("token"));
                    self.server.is_greeted = true;
                }
                "subscribe" | "start" => {
                    if self.is_new() {
                        assert!(self.server.has_acked, "unauthorised");
                    }
                    let is_subscription = text.contains("subscription");
                    let before = self.server.open.insert(id.clone(), is_subscription);
                    assert_eq!(before, None, "it exists already");
                    if !is_subscription {
                        assert!(self.ran.insert(id), "ran twice");
                    }
                }
                "complete" | "stop" => {
                    self.server.open.remove(&id);
                }
                "ping" => self.relay.server_says(r#"{"type":"pong"}"#),
                // One for a server that is gone may be among them: they may come unasked.
                "pong" => self.server.pings = self.server.pings.saturating_sub(1),
                kind => panic!("{kind}"),
            }
        }
    }

    fn reach_client(&mut self, count: usize) {
        for _ in 0..count {
            let Some(message) = self.relay.to_client.pop_front() else {
                break;
            };
            let (kind, id) = kind(&text(&message));
            match kind.as_str() {
                "connection_ack" => {
                    assert!(!self.is_welcome, "acknowledged twice");
                    self.is_welcome = true;
                }
                "next" | "data" => {}
                "complete" | "error" => {
                    self.open.remove(&id);
                }
                "ping" => self.relay.client_says(r#"{"type":"pong"}"#),
                "pong" => self.pings -= 1,
                kind => panic!("{kind}"),
            }
        }
    }

    fn step(&mut self, step: &Step) -> bool {
        match *step {
            Step::Start { is_subscription } => {
                if self.is_new() && !self.is_welcome {
                    return true;
                }
                let id = self.next.to_string();
                self.next += 1;
                let document = ["mutation { a }", "subscription { a }"];
                let document = document[usize::from(is_subscription)];
                self.open.insert(id.clone(), is_subscription);
                self.relay.client_says(&start(self.protocol, &id, document));
            }
            Step::Stop(which) => {
                if let Some(id) = nth(&self.open, which) {
                    self.open.remove(&id);
                    self.relay.client_says(&stop(self.protocol, &id));
                }
            }
            Step::Results => {
                if let Some(id) = nth(&self.server.open, 0).filter(|_| self.server.has_acked) {
                    let kind = if self.is_new() { "next" } else { "data" };
                    let text = format!(r#"{{"id":"{id}","type":"{kind}","payload":{{}}}}"#);
                    self.relay.server_says(&text);
                }
            }
            Step::Ends(which, fails) => {
                let open = nth(&self.server.open, which).filter(|_| self.server.has_acked);
                if let Some(id) = open {
                    self.server.open.remove(&id);
                    let kind = if fails { "error" } else { "complete" };
                    let text = format!(r#"{{"id":"{id}","type":"{kind}"}}"#);
                    self.relay.server_says(&text);
                }
            }
            Step::Acks => {
                if self.server.is_greeted && !self.server.has_acked {
                    self.server.has_acked = true;
                    self.relay.server_says(r#"{"type":"connection_ack"}"#);
                }
            }
            Step::ClientPings => {
                if self.is_new() && self.is_welcome {
                    self.pings += 1;
                    self.relay.client_says(r#"{"type":"ping"}"#);
                }
            }
            Step::ServerPings => {
                if self.is_new() && self.server.is_greeted {
                    self.server.pings += 1;
                    self.relay.server_says(r#"{"type":"ping"}"#);
                }
            }
            Step::ToServer(count) => self.reach_server(count),
            Step::ToClient(count) => self.reach_client(count),
            Step::Lose => {
                if self.is_there {
                    if self.relay.lose().is_err() {
                        return false;
                    }
                    self.is_there = false;
                    self.server = Server::default();
                }
            }
            Step::Back => {
                if !self.is_there {
                    self.is_there = true;
                    self.relay.back();
                }
            }
        }
        assert_eq!(self.relay.ended, None);
        true
    }

    fn drain(&mut self) {
        self.step(&Step::Back);
        loop {
            self.reach_server(usize::MAX);
            self.step(&Step::Acks);
            self.reach_client(usize::MAX);
            if self.relay.to_client.is_empty() && self.relay.to_server.is_empty() {
                break;
            }
        }
    }
}

fn text(message: &OwnedMessage) -> String {
    str::from_utf8(message.as_message().payload())
        .unwrap()
        .to_owned()
}

fn kind(text: &str) -> (String, String) {
    let value: BTreeMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_str(text).unwrap();
    let field = |name| {
        let value = value.get(name);
        value.map_or_else(String::new, |value| {
            serde_json::from_str(value.get()).unwrap()
        })
    };
    (field("type"), field("id"))
}

fn nth(open: &BTreeMap<String, bool>, which: usize) -> Option<String> {
    let index = which.checked_rem(open.len())?;
    open.keys().nth(index).cloned()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(17),
        ..ProptestConfig::with_cases(1000)
    })]

    #[test]
    fn after_a_replay_the_server_runs_what_the_client_has_open(
        is_new in any::<bool>(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let protocol = if is_new { Protocol::GraphqlTransportWs } else { Protocol::GraphqlWs };
        let mut world = World::new(protocol);
        for step in &steps {
            if !world.step(step) {
                return Ok(());
            }
        }
        world.drain();
        prop_assert_eq!(world.open, world.server.open);
        prop_assert_eq!(world.pings, 0, "a ping of the client is not answered");
        prop_assert_eq!(world.server.pings, 0, "a ping of the server is not answered");
    }
}
