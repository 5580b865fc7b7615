//! Whatever came before: after a replay the server has the subscriptions of the client, or nobody
//! is held.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use revoir_adapters::Protocol;

use crate::byte_stream::ByteStream;

const ACKS: [&str; 3] = ["auto", "client", "client-individual"];

/// Destination and `ack` by id.
type Subscribed = BTreeMap<String, (String, String)>;

#[derive(Clone, Debug)]
enum Step {
    Subscribe {
        id: u8,
        ack: usize,
        has_receipt: bool,
    },
    Unsubscribe {
        id: u8,
    },
    Send {
        has_receipt: bool,
    },
    Begin,
    End {
        is_commit: bool,
    },
    /// The client acknowledges what it has received last or first.
    Acknowledge {
        is_last: bool,
        is_in_transaction: bool,
    },
    Beat,
    /// The server sends a message to the subscription, if there is one.
    Deliver {
        id: u8,
    },
    /// So many frames of the server reach the client.
    Answer(usize),
    Lose,
    Return,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8, 0..3_usize, any::<bool>())
            .prop_map(|(id, ack, has_receipt)| Step::Subscribe { id, ack, has_receipt }),
        2 => (0..3_u8).prop_map(|id| Step::Unsubscribe { id }),
        2 => any::<bool>().prop_map(|has_receipt| Step::Send { has_receipt }),
        1 => Just(Step::Begin),
        2 => any::<bool>().prop_map(|is_commit| Step::End { is_commit }),
        4 => any::<(bool, bool)>().prop_map(|(is_last, is_in_transaction)| {
            Step::Acknowledge { is_last, is_in_transaction }
        }),
        1 => Just(Step::Beat),
        2 => (0..3_u8).prop_map(|id| Step::Deliver { id }),
        6 => (1..4_usize).prop_map(Step::Answer),
        2 => Just(Step::Lose),
        3 => Just(Step::Return),
    ]
}

/// A frame: command and headers.
struct Frame {
    command: String,
    headers: BTreeMap<String, String>,
}

impl Frame {
    /// Takes the first frame of `bytes`, if it is whole.
    fn take(bytes: &mut Vec<u8>) -> Option<Self> {
        let beats = bytes.iter().take_while(|&&byte| byte == b'\n').count();
        bytes.drain(..beats);
        let end = bytes.iter().position(|&byte| byte == 0)?;
        let text = String::from_utf8(bytes.drain(..=end).collect()).unwrap();
        let mut lines = text.lines();
        let command = lines.next().unwrap().to_owned();
        let headers = lines.take_while(|line| !line.is_empty());
        let headers = headers.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Some(Self {
            command,
            headers: headers.collect(),
        })
    }

    fn header(&self, name: &str) -> &str {
        &self.headers[name]
    }
}

/// A server that does at once what it is told, and whose frames take time.
#[derive(Default)]
struct Server {
    name: usize,
    input: Vec<u8>,
    is_connected: bool,
    subscribed: Subscribed,
    transactions: BTreeSet<String>,
    frames: VecDeque<String>,
    delivered: usize,
    /// What it waits for: id and subscription.
    open: Vec<(String, String)>,
    sent: usize,
}

impl Server {
    fn hear(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        while let Some(frame) = Frame::take(&mut self.input) {
            self.frame(&frame);
        }
    }

    fn frame(&mut self, frame: &Frame) {
        assert!(self.is_connected || frame.command == "CONNECT");
        match &*frame.command {
            "CONNECT" => {
                assert!(!self.is_connected, "two hellos");
                self.is_connected = true;
                self.frames
                    .push_back("CONNECTED\nversion:1.2\n\n\0".to_owned());
            }
            "SUBSCRIBE" => {
                let value = |name| frame.header(name).to_owned();
                self.subscribed
                    .insert(value("id"), (value("destination"), value("ack")));
            }
            "UNSUBSCRIBE" => {
                self.subscribed.remove(frame.header("id"));
                self.open
                    .retain(|(_, subscription)| subscription != frame.header("id"));
            }
            "BEGIN" => assert!(
                self.transactions
                    .insert(frame.header("transaction").to_owned())
            ),
            "COMMIT" | "ABORT" => {
                let is_open = self.transactions.remove(frame.header("transaction"));
                assert!(is_open, "a transaction of another server");
            }
            "ACK" => {
                let id = frame.header("id");
                let is_ours = id.starts_with(&format!("{}-", self.name));
                assert!(is_ours, "an acknowledgement for another server");
                // One that was on its way when its subscription ended waits for nothing.
                let Some(at) = self.open.iter().position(|(open, _)| open == id) else {
                    return;
                };
                let subscription = self.open[at].1.clone();
                let is_cumulative = self.subscribed[&subscription].1 == "client";
                let mut place = 0;
                self.open.retain(|(_, other)| {
                    place += 1;
                    let is_earlier = is_cumulative && place <= at && *other == subscription;
                    place != at + 1 && !is_earlier
                });
            }
            "SEND" => self.sent += 1,
            other => panic!("{other}"),
        }
        if let Some(receipt) = frame.headers.get("receipt") {
            self.frames
                .push_back(format!("RECEIPT\nreceipt-id:{receipt}\n\n\0\n"));
        }
    }

    fn deliver(&mut self, subscription: &str) {
        if let Some((destination, ack)) = self.subscribed.get(subscription) {
            self.delivered += 1;
            let id = format!("{}-{}", self.name, self.delivered);
            if ack != "auto" {
                self.open.push((id.clone(), subscription.to_owned()));
            }
            self.frames.push_back(format!(
                "MESSAGE\nsubscription:{subscription}\ndestination:{destination}\n\
                 message-id:{id}\nack:{id}\n\nbody\0"
            ));
        }
    }
}

#[derive(Default)]
struct Client {
    input: Vec<u8>,
    hellos: usize,
    count: usize,
    receipts: BTreeSet<String>,
    subscribed: Subscribed,
    /// Messages that it has to acknowledge: id and subscription.
    received: VecDeque<(String, String)>,
    transaction: Option<String>,
}

impl Client {
    fn hear(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        while let Some(frame) = Frame::take(&mut self.input) {
            match &*frame.command {
                "CONNECTED" => self.hellos += 1,
                "RECEIPT" => {
                    assert!(
                        self.receipts.remove(frame.header("receipt-id")),
                        "nobody asked"
                    );
                }
                "MESSAGE" => {
                    let subscription = frame.header("subscription");
                    if self
                        .subscribed
                        .get(subscription)
                        .is_some_and(|(_, ack)| ack != "auto")
                    {
                        let id = frame.header("ack").to_owned();
                        self.received.push_back((id, subscription.to_owned()));
                    }
                }
                other => panic!("{other}"),
            }
        }
    }

    fn receipt(&mut self, frame: &mut String) {
        self.count += 1;
        let receipt = format!("r{}", self.count);
        writeln!(frame, "receipt:{receipt}").unwrap();
        self.receipts.insert(receipt);
    }

    /// What it sends in this step.
    fn step(&mut self, step: &Step) -> Option<String> {
        let mut frame;
        match *step {
            Step::Subscribe {
                id,
                ack,
                has_receipt,
            } => {
                self.count += 1;
                let (id, destination) = (format!("s{id}"), format!("/topic/{}", self.count));
                // STOMP does not say what a second one of the same name means.
                if self.subscribed.contains_key(&id) {
                    return None;
                }
                frame = format!(
                    "SUBSCRIBE\nid:{id}\ndestination:{destination}\nack:{}\n",
                    ACKS[ack]
                );
                self.subscribed
                    .insert(id, (destination, ACKS[ack].to_owned()));
                if has_receipt {
                    self.receipt(&mut frame);
                }
            }
            Step::Unsubscribe { id } => {
                let id = format!("s{id}");
                self.subscribed.remove(&id)?;
                self.received
                    .retain(|(_, subscription)| *subscription != id);
                frame = format!("UNSUBSCRIBE\nid:{id}\n");
            }
            Step::Send { has_receipt } => {
                frame = "SEND\ndestination:/queue/q\n".to_owned();
                if has_receipt {
                    self.receipt(&mut frame);
                }
            }
            Step::Begin => {
                if self.transaction.is_some() {
                    return None;
                }
                self.count += 1;
                let transaction = format!("t{}", self.count);
                frame = format!("BEGIN\ntransaction:{transaction}\n");
                self.transaction = Some(transaction);
            }
            Step::End { is_commit } => {
                let command = if is_commit { "COMMIT" } else { "ABORT" };
                frame = format!("{command}\ntransaction:{}\n", self.transaction.take()?);
            }
            Step::Acknowledge {
                is_last,
                is_in_transaction,
            } => {
                let at = if is_last {
                    self.received.len().checked_sub(1)?
                } else {
                    0
                };
                let (id, subscription) = self.received.remove(at)?;
                frame = format!("ACK\nid:{id}\n");
                if self.subscribed[&subscription].1 == "client" {
                    let mut place = 0;
                    self.received.retain(|(_, other)| {
                        place += 1;
                        place > at || *other != subscription
                    });
                }
                if let Some(transaction) = self.transaction.as_ref().filter(|_| is_in_transaction) {
                    writeln!(frame, "transaction:{transaction}").unwrap();
                }
            }
            Step::Beat => return Some("\n".to_owned()),
            Step::Deliver { .. } | Step::Answer(_) | Step::Lose | Step::Return => return None,
        }
        Some(frame + "\n\0")
    }
}

struct World {
    link: ByteStream,
    client: Client,
    server: Server,
    is_away: bool,
    cuts: Vec<usize>,
    cut: usize,
}

impl World {
    fn say(&mut self, is_client: bool, text: &str) {
        let mut left = text;
        while !left.is_empty() && self.link.ended().is_none() {
            let at = self.cuts[self.cut % self.cuts.len()].min(left.len());
            self.cut += 1;
            let (part, rest) = left.split_at(at);
            if is_client {
                self.link.client_text(part);
            } else {
                self.link.server_text(part);
            }
            left = rest;
            self.settle();
        }
    }

    fn settle(&mut self) {
        let to_server = self.link.heard_by_server();
        self.server.hear(&to_server);
        let to_client = self.link.heard_by_client();
        self.client.hear(&to_client);
    }

    fn answer(&mut self) -> bool {
        let frame = self.server.frames.pop_front();
        if let Some(frame) = &frame {
            self.say(false, frame);
        }
        frame.is_some()
    }

    /// False: the client could not be held.
    fn step(&mut self, step: &Step) -> bool {
        match *step {
            Step::Deliver { id } => self.server.deliver(&format!("s{id}")),
            Step::Answer(count) => {
                for _ in 0..count {
                    self.answer();
                }
            }
            Step::Lose if self.is_away => {}
            Step::Lose if self.link.refusal().is_some() => return false,
            Step::Lose => {
                self.server = Server {
                    name: self.server.name + 1,
                    ..Server::default()
                };
                self.is_away = true;
                self.link.lose();
                self.settle();
            }
            Step::Return if self.is_away => {
                self.is_away = false;
                self.link.back();
                self.settle();
            }
            _ => {
                if let Some(frame) = self.client.step(step) {
                    self.say(true, &frame);
                }
            }
        }
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn after_a_replay_the_servers_subscriptions_are_the_clients(
        steps in vec(step(), 0..60),
        cuts in vec(1..60_usize, 1..8),
    ) {
        let mut world = World {
            link: ByteStream::new(Protocol::Stomp),
            client: Client::default(),
            server: Server::default(),
            is_away: false,
            cuts,
            cut: 0,
        };
        world.say(true, "CONNECT\naccept-version:1.2\n\n\0");
        world.answer();
        for step in &steps {
            if world.link.ended().is_some() || !world.step(step) {
                return Ok(());
            }
        }
        world.step(&Step::Return);
        while world.link.ended().is_none() && world.answer() {}
        if world.link.ended().is_none() {
            prop_assert_eq!(world.client.hellos, 1);
            prop_assert!(world.link.is_ready());
            prop_assert!(world.client.receipts.is_empty(), "{:?}", world.client.receipts);
            prop_assert_eq!(world.client.subscribed, world.server.subscribed);
        }
    }
}
