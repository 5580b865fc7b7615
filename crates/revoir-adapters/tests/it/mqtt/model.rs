//! Whatever came before: after a replay the server has the subscriptions that the client believes
//! it has, or nobody is held.

use std::collections::{BTreeMap, VecDeque};

use proptest::collection::vec;
use proptest::prelude::*;

use revoir_adapters::Protocol;

use crate::byte_stream::ByteStream;
use crate::mqtt::Hello;
use crate::mqtt::packet::{Body, packet, string, take, with_id};

mod kind {
    pub(super) const CONNECT: u8 = 1;
    pub(super) const CONNACK: u8 = 2;
    pub(super) const PUBLISH: u8 = 3;
    pub(super) const PUBACK: u8 = 4;
    pub(super) const PUBREC: u8 = 5;
    pub(super) const PUBREL: u8 = 6;
    pub(super) const PUBCOMP: u8 = 7;
    pub(super) const SUBSCRIBE: u8 = 8;
    pub(super) const SUBACK: u8 = 9;
    pub(super) const UNSUBSCRIBE: u8 = 10;
    pub(super) const UNSUBACK: u8 = 11;
    pub(super) const PINGREQ: u8 = 12;
    pub(super) const PINGRESP: u8 = 13;
}

/// Filters with their options.
type Subscribed = BTreeMap<Vec<u8>, u8>;
type Filters = Vec<(Vec<u8>, u8)>;

#[derive(Clone, Debug)]
enum Step {
    Subscribe {
        filters: Vec<u8>,
        options: u8,
    },
    Unsubscribe {
        filter: u8,
    },
    Publish {
        qos: u8,
    },
    Ping,
    /// The client acknowledges what it has received first.
    Acknowledge,
    /// The server publishes.
    Deliver {
        qos: u8,
    },
    /// So many answers of the server reach the client.
    Answer(usize),
    Lose {
        is_session_kept: bool,
    },
    Return,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (vec(0..5_u8, 1..3), 0..3_u8)
            .prop_map(|(filters, options)| Step::Subscribe { filters, options }),
        2 => (0..5_u8).prop_map(|filter| Step::Unsubscribe { filter }),
        3 => (0..2_u8).prop_map(|qos| Step::Publish { qos }),
        1 => Just(Step::Publish { qos: 2 }),
        1 => Just(Step::Ping),
        3 => Just(Step::Acknowledge),
        2 => (0..2_u8).prop_map(|qos| Step::Deliver { qos }),
        6 => (1..4_usize).prop_map(Step::Answer),
        2 => any::<bool>().prop_map(|is_session_kept| Step::Lose { is_session_kept }),
        3 => Just(Step::Return),
    ]
}

/// A server that answers at once, and whose answers take time.
#[derive(Default)]
struct Server {
    input: Vec<u8>,
    is_v5: bool,
    session: Option<Subscribed>,
    is_session_kept: bool,
    answers: VecDeque<Vec<u8>>,
    next_id: u16,
    /// What it waits for.
    unacknowledged: Vec<u16>,
}

impl Server {
    fn subscribed(&self) -> Subscribed {
        self.session.clone().unwrap_or_default()
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        while let Some((first, body)) = take(&mut self.input) {
            self.packet(first, &body);
        }
    }

    fn packet(&mut self, first: u8, body: &[u8]) {
        let mut body = Body(body);
        let properties: &[u8] = if self.is_v5 { &[0] } else { &[] };
        let mut answer = |first, id, rest: &[u8]| self.answers.push_back(with_id(first, id, rest));
        match first >> 4 {
            kind::CONNECT => {
                body.string();
                self.is_v5 = body.bytes(1)[0] == 5;
                let is_clean = body.bytes(1)[0] & 2 != 0;
                if is_clean || !self.is_session_kept {
                    self.session = None;
                }
                let is_present = u8::from(self.session.is_some());
                self.session.get_or_insert_default();
                let rest: &[u8] = if self.is_v5 { &[0, 0] } else { &[0] };
                let bytes = [&[is_present], rest].concat();
                self.answers.push_back(packet(0x20, &bytes));
            }
            kind::SUBSCRIBE => {
                let id = body.number();
                let (mut codes, session) = (properties.to_vec(), self.session.as_mut().unwrap());
                if self.is_v5 {
                    body.properties();
                }
                while !body.0.is_empty() {
                    let filter = body.string().to_vec();
                    let options = body.bytes(1)[0];
                    // One filter is refused, and one granted with less.
                    match &filter[..] {
                        b"f0" => codes.push(0x80),
                        b"f1" => codes.push(0),
                        _ => codes.push(options & 3),
                    }
                    if filter != b"f0" {
                        session.insert(filter, options);
                    }
                }
                answer(0x90, id, &codes);
            }
            kind::UNSUBSCRIBE => {
                let id = body.number();
                let mut codes = properties.to_vec();
                if self.is_v5 {
                    body.properties();
                }
                while !body.0.is_empty() {
                    self.session.as_mut().unwrap().remove(body.string());
                    codes.extend_from_slice(properties);
                }
                answer(0xb0, id, &codes);
            }
            kind::PUBLISH => match first >> 1 & 3 {
                0 => {}
                qos => {
                    body.string();
                    answer(0x30 + (qos << 4), body.number(), &[]);
                }
            },
            kind::PUBREL => answer(0x70, body.number(), &[]),
            kind::PUBACK => {
                let id = body.number();
                // Nobody acknowledges what this server has not sent.
                let at = self.unacknowledged.iter().position(|&known| known == id);
                self.unacknowledged
                    .remove(at.expect("an acknowledgement for another server"));
            }
            kind::PINGREQ => self.answers.push_back(vec![0xd0, 0]),
            other => panic!("a server does not hear {other}"),
        }
    }

    fn deliver(&mut self, qos: u8) {
        let mut body = string(b"t");
        if qos > 0 {
            self.next_id += 1;
            body.extend(self.next_id.to_be_bytes());
            self.unacknowledged.push(self.next_id);
        }
        if self.is_v5 {
            body.push(0);
        }
        self.answers.push_back(packet(0x30 | qos << 1, &body));
    }
}

/// What the client did, and what it knows.
#[derive(Default)]
struct Client {
    input: Vec<u8>,
    is_v5: bool,
    next_id: u16,
    /// What awaits an answer of this type, and what follows from it.
    requests: BTreeMap<(u8, u16), Filters>,
    subscribed: Subscribed,
    received: VecDeque<u16>,
    pings: usize,
    hellos: usize,
    /// Packets that it sends by itself.
    says: Vec<Vec<u8>>,
}

impl Client {
    fn request(&mut self, first: u8, answered_by: u8, filters: Filters) -> Vec<u8> {
        self.next_id += 1;
        let mut rest = if self.is_v5 { vec![0] } else { vec![] };
        for (filter, options) in &filters {
            rest.extend(string(filter));
            if answered_by == kind::SUBACK {
                rest.push(*options);
            }
        }
        self.requests.insert((answered_by, self.next_id), filters);
        with_id(first, self.next_id, &rest)
    }

    fn publish(&mut self, qos: u8) -> Vec<u8> {
        let mut body = string(b"t");
        if qos > 0 {
            self.next_id += 1;
            body.extend(self.next_id.to_be_bytes());
            let answered_by = if qos == 1 { kind::PUBACK } else { kind::PUBREC };
            self.requests
                .insert((answered_by, self.next_id), Vec::new());
        }
        if self.is_v5 {
            body.push(0);
        }
        body.extend(b"payload");
        packet(0x30 | qos << 1, &body)
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        while let Some((first, body)) = take(&mut self.input) {
            self.packet(first, &body);
        }
    }

    fn packet(&mut self, first: u8, body: &[u8]) {
        let mut body = Body(body);
        match first >> 4 {
            kind::CONNACK => self.hellos += 1,
            kind::PINGRESP => {
                self.pings = self.pings.checked_sub(1).expect("nobody asked for that");
            }
            kind::PUBLISH => {
                if first >> 1 & 3 == 1 {
                    body.string();
                    self.received.push_back(body.number());
                }
            }
            answered_by => {
                let id = body.number();
                let request = self.requests.remove(&(answered_by, id));
                let request = request.expect("an answer that nobody waits for");
                match answered_by {
                    kind::PUBREC => {
                        self.requests.insert((kind::PUBCOMP, id), Vec::new());
                        self.says.push(with_id(0x62, id, &[]));
                    }
                    kind::SUBACK => {
                        let codes = &body.0[body.0.len() - request.len()..];
                        for ((filter, options), &code) in request.into_iter().zip(codes) {
                            if code < 0x80 {
                                self.subscribed.insert(filter, options);
                            }
                        }
                    }
                    kind::UNSUBACK => {
                        self.subscribed.retain(|filter, _| request[0].0 != *filter);
                    }
                    _ => {}
                }
            }
        }
    }
}

struct World {
    rig: ByteStream,
    client: Client,
    server: Server,
    is_away: bool,
    /// How both cut their streams.
    cuts: Vec<usize>,
    cut: usize,
}

impl World {
    fn say(&mut self, is_client: bool, bytes: &[u8]) {
        let mut left = bytes;
        while !left.is_empty() && self.rig.ended().is_none() {
            let at = self.cuts[self.cut % self.cuts.len()].min(left.len());
            self.cut += 1;
            let (part, rest) = left.split_at(at);
            if is_client {
                self.rig.client(part);
            } else {
                self.rig.server(part);
            }
            left = rest;
            self.settle();
        }
    }

    fn settle(&mut self) {
        let to_server = self.rig.heard_by_server();
        if !self.is_away {
            self.server.hear(&to_server);
        }
        let to_client = self.rig.heard_by_client();
        self.client.hear(&to_client);
    }

    fn answer(&mut self) -> bool {
        for bytes in std::mem::take(&mut self.client.says) {
            self.say(true, &bytes);
        }
        let answer = self.server.answers.pop_front();
        if let Some(answer) = &answer {
            self.say(false, answer);
        }
        answer.is_some() || !self.client.says.is_empty()
    }

    /// False: the client could not be held.
    fn lose(&mut self, is_session_kept: bool) -> bool {
        if self.is_away {
            return true;
        }
        if self.rig.refusal().is_some() {
            return false;
        }
        let session = self.server.session.take().filter(|_| is_session_kept);
        self.server = Server {
            session,
            is_session_kept,
            ..Server::default()
        };
        self.is_away = true;
        self.rig.lose();
        self.settle();
        true
    }

    fn back(&mut self) {
        if self.is_away {
            self.is_away = false;
            self.rig.back();
            self.settle();
        }
    }

    fn step(&mut self, step: Step) -> bool {
        let packet = match step {
            Step::Subscribe { filters, options } => {
                let mut filters: Vec<_> = filters
                    .iter()
                    .map(|i| (format!("f{i}").into_bytes(), options))
                    .collect();
                filters.dedup();
                self.client.request(0x82, kind::SUBACK, filters)
            }
            Step::Unsubscribe { filter } => {
                let filters = vec![(format!("f{filter}").into_bytes(), 0)];
                self.client.request(0xa2, kind::UNSUBACK, filters)
            }
            Step::Publish { qos } => self.client.publish(qos),
            Step::Ping => {
                self.client.pings += 1;
                vec![0xc0, 0]
            }
            Step::Acknowledge => match self.client.received.pop_front() {
                Some(id) => with_id(0x40, id, &[]),
                None => return true,
            },
            Step::Deliver { qos } => {
                if !self.is_away && self.server.session.is_some() {
                    self.server.deliver(qos);
                }
                return true;
            }
            Step::Answer(count) => {
                for _ in 0..count {
                    self.answer();
                }
                return true;
            }
            Step::Lose { is_session_kept } => return self.lose(is_session_kept),
            Step::Return => {
                self.back();
                return true;
            }
        };
        self.say(true, &packet);
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn after_a_replay_both_know_the_same(
        (is_v5, is_clean, is_lasting) in any::<(bool, bool, bool)>(),
        steps in vec(step(), 0..60),
        cuts in vec(1..40_usize, 1..8),
    ) {
        let hello = Hello {
            level: if is_v5 { 5 } else { 4 },
            is_clean,
            properties: if is_lasting { &[0x11, 0, 0, 0, 60] } else { &[] },
            client_id: "c",
        };
        let mut world = World {
            rig: ByteStream::new(Protocol::Mqtt),
            client: Client { is_v5, ..Client::default() },
            server: Server::default(),
            is_away: false,
            cuts,
            cut: 0,
        };
        world.say(true, &hello.packet());
        world.answer();
        for step in steps {
            if world.rig.ended().is_some() || !world.step(step) {
                return Ok(());
            }
        }
        world.back();
        while world.rig.ended().is_none() && world.answer() {}
        if world.rig.ended().is_none() {
            prop_assert_eq!(world.client.hellos, 1);
            prop_assert_eq!(world.client.pings, 0);
            prop_assert!(world.rig.is_ready());
            prop_assert!(world.client.requests.is_empty(), "{:?}", world.client.requests);
            prop_assert_eq!(world.client.subscribed, world.server.subscribed());
        }
    }
}
