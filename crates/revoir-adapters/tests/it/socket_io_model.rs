//! Socket.IO's property: whatever came before, after a replay the server's namespaces are the
//! client's, under the same ids; and what went between them is in order, and went to whom it was
//! meant for. Or the connection may not be held.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use revoir_adapters::{Message, OwnedMessage, Protocol};

use crate::relay::Relay;
use crate::socket_io::{OPEN, QUERY};

const NAMES: [&str; 3] = ["/", "/a", "/b"];

/// The prefix of a packet for a namespace.
fn prefix(name: &str) -> String {
    match name {
        "/" => String::new(),
        name => format!("{name},"),
    }
}

/// Namespace, number and the rest of a packet.
fn take_apart(text: &str) -> (String, Option<u64>, String) {
    let (name, rest) = match text.strip_prefix('/') {
        Some(_) => text.split_once(',').unwrap_or((text, "")),
        None => ("/", text),
    };
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (id, data) = rest.split_at(end);
    (name.to_owned(), id.parse().ok(), data.to_owned())
}

/// A client as socket.io-client is one.
#[derive(Debug, Default)]
struct Client {
    /// The namespaces that the program wants, and their ids.
    wanted: BTreeMap<String, Option<String>>,
    /// What it has been asked, and by whom.
    asked: VecDeque<(String, u64, String)>,
    /// Numbers of events.
    seen: u64,
    missing: u32,
    awaited: BTreeSet<(String, u64)>,
}

impl Client {
    fn gets(&mut self, message: &OwnedMessage, reply: &mut Vec<String>) {
        let text = match message.as_message() {
            Message::Binary(_) => {
                assert!(self.missing > 0, "an attachment of nothing");
                self.missing -= 1;
                return;
            }
            Message::Text(text) => str::from_utf8(text).unwrap(),
        };
        if text == "2" {
            reply.push("3".into());
            return;
        }
        let Some(packet) = text.strip_prefix('4') else {
            assert!(text.starts_with('0'));
            return;
        };
        assert_eq!(self.missing, 0, "an attachment is missing");
        let (kind, mut rest) = packet.split_at(1);
        if kind == "5" {
            self.missing = 1;
            rest = rest.strip_prefix("1-").unwrap();
        }
        let (name, id, data) = take_apart(rest);
        match kind {
            "0" => {
                if let Some(own) = self.wanted.get_mut(&name) {
                    *own = Some(data);
                }
            }
            "1" | "4" => {
                self.wanted.remove(&name);
                self.awaited.retain(|(of, _)| *of != name);
            }
            "2" | "5" => {
                let of_whom = data.split('"').nth(1).unwrap().to_owned();
                let number: u64 = data.split('"').nth(3).unwrap().parse().unwrap();
                assert!(number > self.seen, "doubled or out of order");
                self.seen = number;
                if let Some(id) = id {
                    self.asked.push_back((name, id, of_whom));
                }
            }
            "3" => {
                self.awaited.remove(&(name, id.unwrap()));
            }
            kind => panic!("{kind}"),
        }
    }
}

/// A server as socket.io is one; it panics where socket.io closes the connection.
#[derive(Debug)]
struct Server {
    name: String,
    joined: BTreeMap<String, String>,
    /// Namespaces that it disconnected by itself: what crosses that is no fault.
    left: BTreeSet<String>,
    /// The next number of an event that wants an ack.
    next_ask: u64,
    asked: BTreeSet<(String, u64)>,
    missing: u32,
    unanswered: VecDeque<(String, u64)>,
    /// Whether its own attachment is yet to be sent.
    is_attaching: bool,
    /// How often somebody joined.
    joins: u32,
    /// Whether it refuses the next who joins.
    refuses: bool,
}

impl Server {
    fn new(name: u32) -> Self {
        Self {
            name: format!("server{name}"),
            joined: BTreeMap::new(),
            left: BTreeSet::new(),
            next_ask: 0,
            asked: BTreeSet::new(),
            missing: 0,
            unanswered: VecDeque::new(),
            is_attaching: false,
            joins: 0,
            refuses: false,
        }
    }

    fn gets(&mut self, message: &OwnedMessage, heard: &mut u64) -> Option<String> {
        let text = match message.as_message() {
            Message::Binary(_) => {
                assert!(self.missing > 0, "an attachment of nothing");
                self.missing -= 1;
                return None;
            }
            Message::Text(text) => str::from_utf8(text).unwrap(),
        };
        if text == "3" {
            return None;
        }
        let packet = text.strip_prefix('4').unwrap();
        assert_eq!(self.missing, 0, "an attachment is missing");
        let (kind, mut rest) = packet.split_at(1);
        if matches!(kind, "5" | "6") {
            self.missing = 1;
            rest = rest.strip_prefix("1-").unwrap();
        }
        let (name, id, data) = take_apart(rest);
        if kind == "0" {
            assert!(!self.joined.contains_key(&name), "connected twice");
            if std::mem::take(&mut self.refuses) {
                return Some(format!("44{}{{\"message\":\"no\"}}", prefix(&name)));
            }
            self.joins += 1;
            let sid = format!("{{\"sid\":\"{}-{}\"}}", self.name, self.joins);
            self.left.remove(&name);
            self.joined.insert(name.clone(), sid.clone());
            return Some(format!("40{}{sid}", prefix(&name)));
        }
        if !self.joined.contains_key(&name) {
            assert!(self.left.contains(&name), "not connected to {name}: {text}");
            return None;
        }
        match kind {
            "1" => {
                self.joined.remove(&name);
                self.asked.retain(|(of, _)| *of != name);
                self.unanswered.retain(|(of, _)| *of != name);
            }
            "2" | "5" => {
                let number: u64 = data.split('"').nth(3).unwrap().parse().unwrap();
                assert!(number > *heard, "doubled or out of order");
                *heard = number;
                if let Some(id) = id {
                    self.unanswered.push_back((name, id));
                }
            }
            "3" | "6" => {
                let of_whom = data.split('"').nth(1).unwrap();
                assert_eq!(of_whom, self.name, "an ack for another server");
                self.asked.remove(&(name, id.unwrap()));
            }
            kind => panic!("{kind}"),
        }
        None
    }
}

#[derive(Clone, Debug)]
enum Step {
    Connect(usize),
    Disconnect(usize),
    Emit {
        name: usize,
        ack: bool,
        attachment: bool,
    },
    Attach,
    Answer {
        attachment: bool,
    },
    ServerEmits {
        name: usize,
        ack: bool,
        attachment: bool,
    },
    ServerAttaches,
    ServerAnswers,
    ServerDisconnects(usize),
    ServerRefuses,
    ServerPings,
    ToServer(usize),
    ToClient(usize),
    Lose,
    Back,
    Open,
}

fn step() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len();
    prop_oneof![
        3 => name().prop_map(Step::Connect),
        1 => name().prop_map(Step::Disconnect),
        3 => (name(), prop::bool::weighted(0.2), prop::bool::weighted(0.2))
            .prop_map(|(name, ack, attachment)| Step::Emit { name, ack, attachment }),
        1 => Just(Step::Attach),
        2 => any::<bool>().prop_map(|attachment| Step::Answer { attachment }),
        3 => (name(), prop::bool::weighted(0.4), prop::bool::weighted(0.2))
            .prop_map(|(name, ack, attachment)| Step::ServerEmits { name, ack, attachment }),
        1 => Just(Step::ServerAttaches),
        2 => Just(Step::ServerAnswers),
        1 => name().prop_map(Step::ServerDisconnects),
        1 => Just(Step::ServerRefuses),
        1 => Just(Step::ServerPings),
        4 => (1..4_usize).prop_map(Step::ToServer),
        4 => (1..4_usize).prop_map(Step::ToClient),
        2 => Just(Step::Lose),
        3 => Just(Step::Back),
        3 => Just(Step::Open),
    ]
}

#[derive(Debug)]
struct World {
    relay: Relay,
    client: Client,
    server: Server,
    servers: u32,
    is_there: bool,
    is_open: bool,
    /// The client's own attachment that is yet to be sent.
    attaching: bool,
    next_emit: u64,
    next_id: u64,
    next_event: u64,
    heard: u64,
    /// Held at least once.
    held: u32,
}

impl World {
    fn new() -> Self {
        let mut relay = Relay::new(Protocol::SocketIo, QUERY);
        relay.server_says(OPEN);
        Self {
            relay,
            client: Client::default(),
            server: Server::new(0),
            servers: 0,
            is_there: true,
            is_open: true,
            attaching: false,
            next_emit: 1,
            next_id: 0,
            next_event: 1,
            heard: 0,
            held: 0,
        }
    }

    fn says(&mut self, text: &str) {
        self.relay.client_says(text);
    }

    /// The rest of the messages reach the server, and their answers the relay.
    fn reach_server(&mut self, count: usize) {
        for _ in 0..count {
            let Some(message) = self.relay.to_server.pop_front() else {
                break;
            };
            if let Some(answer) = self.server.gets(&message, &mut self.heard) {
                self.attach();
                self.relay.server_says(&answer);
            }
            if self.relay.ended.is_some() {
                break;
            }
        }
    }

    /// The server's own attachment follows before anything else.
    fn attach(&mut self) {
        if self.server.is_attaching {
            self.relay.server(OwnedMessage::Binary(vec![1]));
            self.server.is_attaching = false;
        }
    }

    fn reach_client(&mut self, count: usize) {
        for _ in 0..count {
            let Some(message) = self.relay.to_client.pop_front() else {
                break;
            };
            let mut replies = Vec::new();
            self.client.gets(&message, &mut replies);
            for reply in replies {
                self.says(&reply);
            }
        }
    }

    fn emit(&mut self, name: usize, ack: bool, attachment: bool) {
        let name = NAMES[name];
        // socket.io-client buffers before it is connected.
        if self.attaching || !matches!(self.client.wanted.get(name), Some(Some(_))) {
            return;
        }
        let kind = if attachment { "51-" } else { "2" };
        let mut id = String::new();
        if ack {
            id = self.next_id.to_string();
            self.client.awaited.insert((name.into(), self.next_id));
            self.next_id += 1;
        }
        let number = self.next_emit;
        self.next_emit += 1;
        self.says(&format!("4{kind}{}{id}[\"x\",\"{number}\"]", prefix(name)));
        self.attaching = attachment;
    }

    fn answer(&mut self, attachment: bool) {
        if self.attaching {
            return;
        }
        let Some((name, id, of_whom)) = self.client.asked.pop_front() else {
            return;
        };
        if !self.client.wanted.contains_key(&name) {
            return;
        }
        let kind = if attachment { "61-" } else { "3" };
        self.says(&format!("4{kind}{}{id}[\"{of_whom}\"]", prefix(&name)));
        self.attaching = attachment;
    }

    fn server_emits(&mut self, name: usize, ack: bool, attachment: bool) {
        let name = NAMES[name];
        if !self.is_open || self.server.is_attaching || !self.server.joined.contains_key(name) {
            return;
        }
        let kind = if attachment { "51-" } else { "2" };
        let mut id = String::new();
        if ack {
            id = self.server.next_ask.to_string();
            self.server
                .asked
                .insert((name.into(), self.server.next_ask));
            self.server.next_ask += 1;
        }
        let number = self.next_event;
        self.next_event += 1;
        let text = format!(
            "4{kind}{}{id}[\"{}\",\"{number}\"]",
            prefix(name),
            self.server.name
        );
        self.relay.server_says(&text);
        self.server.is_attaching = attachment;
    }

    /// Everything that is on its way arrives.
    fn drain(&mut self) {
        if self.attaching {
            self.step(&Step::Attach);
        }
        if self.is_there && !self.is_open {
            self.step(&Step::Open);
        }
        self.attach();
        while self.relay.ended.is_none()
            && !(self.relay.to_client.is_empty() && self.relay.to_server.is_empty())
        {
            self.reach_server(usize::MAX);
            self.reach_client(usize::MAX);
        }
    }

    /// False if the connection is over.
    fn step(&mut self, step: &Step) -> bool {
        match *step {
            Step::Connect(name) => {
                let name = NAMES[name];
                if !self.attaching && !self.client.wanted.contains_key(name) {
                    self.client.wanted.insert(name.into(), None);
                    self.says(&format!("40{}", prefix(name)));
                }
            }
            Step::Disconnect(name) => {
                let name = NAMES[name];
                let is_connected = matches!(self.client.wanted.get(name), Some(Some(_)));
                if !self.attaching && is_connected {
                    self.client.wanted.remove(name);
                    self.client.asked.retain(|(of, ..)| of != name);
                    self.client.awaited.retain(|(of, _)| of != name);
                    self.says(&format!("41{}", prefix(name)));
                }
            }
            Step::Emit {
                name,
                ack,
                attachment,
            } => self.emit(name, ack, attachment),
            Step::Attach => {
                if std::mem::take(&mut self.attaching) {
                    self.relay.client(OwnedMessage::Binary(vec![2]));
                }
            }
            Step::Answer { attachment } => self.answer(attachment),
            Step::ServerEmits {
                name,
                ack,
                attachment,
            } => self.server_emits(name, ack, attachment),
            Step::ServerAttaches => self.attach(),
            Step::ServerAnswers => {
                if !self.server.is_attaching
                    && let Some((name, id)) = self.server.unanswered.pop_front()
                {
                    self.relay
                        .server_says(&format!("43{}{id}[]", prefix(&name)));
                }
            }
            // Atomic: what crosses a DISCONNECT is no business of an adapter.
            Step::ServerDisconnects(name) => {
                let name = NAMES[name];
                if self.is_open && self.relay.adapter.is_ready() {
                    self.drain();
                    if self.relay.ended.is_none() && self.server.joined.remove(name).is_some() {
                        self.server.left.insert(name.into());
                        self.server.asked.retain(|(of, _)| of != name);
                        self.server.unanswered.retain(|(of, _)| of != name);
                        self.client.asked.retain(|(of, ..)| of != name);
                        self.relay.server_says(&format!("41{}", prefix(name)));
                        self.reach_client(usize::MAX);
                    }
                }
            }
            Step::ServerRefuses => self.server.refuses = true,
            Step::ServerPings => {
                if self.is_open {
                    self.relay.server_says("2");
                }
            }
            Step::ToServer(count) => self.reach_server(count),
            Step::ToClient(count) => self.reach_client(count),
            Step::Lose => return self.lose(),
            Step::Back => {
                if !self.is_there {
                    self.servers += 1;
                    self.server = Server::new(self.servers);
                    self.is_there = true;
                    self.relay.back();
                }
            }
            Step::Open => {
                if self.is_there && !self.is_open {
                    self.is_open = true;
                    self.relay.server_says(OPEN);
                }
            }
        }
        self.relay.ended.is_none()
    }

    fn lose(&mut self) -> bool {
        if !self.is_there {
            return true;
        }
        if self.relay.lose().is_err() {
            return false;
        }
        assert!(!self.server.is_attaching, "held within an attachment");
        self.held += 1;
        self.is_there = false;
        self.is_open = false;
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(17),
        ..ProptestConfig::with_cases(1000)
    })]

    #[test]
    fn after_a_replay_the_servers_namespaces_are_the_clients(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut world = World::new();
        for step in &steps {
            if !world.step(step) {
                return Ok(());
            }
        }
        world.step(&Step::Back);
        world.drain();
        if world.relay.ended.is_some() {
            return Ok(());
        }
        let ids = |(name, id): (&String, &Option<String>)| (name.clone(), id.clone().unwrap());
        let wanted: BTreeMap<String, String> = world.client.wanted.iter().map(ids).collect();
        prop_assert_eq!(wanted, world.server.joined);
        // What is awaited can still come: it was asked of the server that is there.
        let unanswered: BTreeSet<_> = world.server.unanswered.into_iter().collect();
        prop_assert_eq!(world.client.awaited, unanswered);
    }
}
