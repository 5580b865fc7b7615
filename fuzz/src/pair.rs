//! [`Pair`]: a client and a server on virtual time, on a transport that cuts as it likes.

use std::collections::VecDeque;
use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use revoir_proto::extension::deflate::Agreed;
use revoir_proto::{Config, Role, SendCode, State};

use crate::operation::{Operation, agreed, operation};
use crate::reference::Seen;
use crate::session::Session;

/// Shorter than every wait of the default configuration.
const CALM: Duration = Duration::from_millis(1_900);

/// What happens to one of the two ends, or to the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Of the application or the driver at an end.
    At(Role, Operation),
    /// The next bytes on the way to an end arrive.
    Deliver(Role, u16),
    Pass(u16),
    /// The stream towards an end is over; what was under way before still comes.
    Fin(Role),
    /// Both ends lose the transport, and what is under way.
    Break,
}

/// A pair and what happens to it.
#[derive(Clone, Debug)]
pub struct Script {
    pub agreed: Option<Agreed>,
    pub seed: u8,
    pub happenings: Vec<Happening>,
}

impl Script {
    /// Shows the happenings, if `FUZZ_PRINT` is set.
    pub fn print(&self) {
        if std::env::var_os("FUZZ_PRINT").is_some() {
            eprintln!("{self:#?}");
        }
    }
}

impl<'a> Arbitrary<'a> for Script {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (flags, seed): (u8, u8) = (u.arbitrary()?, u.arbitrary()?);
        let mut happenings = Vec::new();
        while !u.is_empty() && happenings.len() < 300 {
            happenings.push(happening(u)?);
        }
        let agreed = (flags & 1 != 0).then(|| agreed(flags & 2 != 0, flags & 4 != 0));
        Ok(Self {
            agreed,
            seed,
            happenings,
        })
    }
}

fn happening(u: &mut Unstructured<'_>) -> Result<Happening> {
    let kind: u8 = u.arbitrary()?;
    let role = if kind & 1 == 0 {
        Role::Client
    } else {
        Role::Server
    };
    Ok(match (kind >> 1) % 16 {
        0..=3 => Happening::Deliver(role, u.arbitrary::<u8>()?.into()),
        4 => Happening::Deliver(role, u.arbitrary()?),
        5 => Happening::Pass(u.arbitrary()?),
        // Rare, so that most pairs live.
        6 if u.arbitrary::<u8>()? > 250 => Happening::Fin(role),
        6 | 7 if u.arbitrary::<u8>()? > 250 => Happening::Break,
        _ => Happening::At(role, operation(u)?),
    })
}

/// Two ends and the bytes between them.
#[derive(Debug)]
pub struct Pair {
    ends: [Session; 2],
    /// On the way to each end.
    way: [VecDeque<u8>; 2],
    /// The stream towards an end is over, behind what is on the way.
    fin: [bool; 2],
    /// An end was told so.
    told: [bool; 2],
    /// What each end sent: text or binary, and the payload.
    sent: [Vec<Seen>; 2],
    broken: bool,
    passed: Duration,
}

impl Pair {
    pub fn run(script: &Script) {
        let mut pair = Self::new(script);
        for happening in &script.happenings {
            pair.apply(happening);
            pair.exchange_ends();
        }
        pair.finish();
    }

    fn new(script: &Script) -> Self {
        let end = |role| {
            let mut config = Config::default();
            config.limits.queue = 20_000;
            Session::new(role, config, script.agreed, script.seed)
        };
        Self {
            ends: [end(Role::Client), end(Role::Server)],
            way: Default::default(),
            fin: [false; 2],
            told: [false; 2],
            sent: Default::default(),
            broken: false,
            passed: Duration::ZERO,
        }
    }

    fn apply(&mut self, happening: &Happening) {
        match happening {
            Happening::At(role, operation) => self.at(index(*role), operation),
            Happening::Deliver(role, count) => self.deliver(index(*role), (*count).into()),
            Happening::Pass(millis) => self.pass(Duration::from_millis((*millis / 16).into())),
            Happening::Fin(role) => {
                self.broken = true;
                self.fin[index(*role)] = true;
            }
            Happening::Break => {
                self.broken = true;
                for (end, way) in self.ends.iter_mut().zip(&mut self.way) {
                    way.clear();
                    end.reset(0);
                }
                self.told = [true; 2];
            }
        }
    }

    /// What an application and its driver may do. The peer's bytes come from the peer alone.
    fn at(&mut self, at: usize, operation: &Operation) {
        let end = &mut self.ends[at];
        match operation {
            Operation::Text(payload) => {
                let text = String::from_utf8_lossy(&payload.to_vec()).into_owned();
                if end.send_text(&text) {
                    self.sent[at].push(Seen::Text(text.into_bytes()));
                }
            }
            Operation::Binary(payload) => {
                let payload = payload.to_vec();
                if end.send_binary(payload.clone()) {
                    self.sent[at].push(Seen::Binary(payload));
                }
            }
            Operation::Transmit { bytes, slices } => {
                let bytes = end.transmit((*bytes).into(), (*slices).into());
                self.put(1 - at, &bytes);
            }
            Operation::TransmitAll => {
                let bytes = end.transmit_all();
                self.put(1 - at, &bytes);
            }
            Operation::Abort => {
                self.broken = true;
                end.apply(operation);
            }
            Operation::Poll(_)
            | Operation::PollAll
            | Operation::Timeout
            | Operation::Ping(_)
            | Operation::Close { .. }
            | Operation::Read(_)
            | Operation::Lend
            | Operation::Pause
            | Operation::Resume
            | Operation::Export => end.apply(operation),
            _ => {}
        }
        self.ends[at].check();
    }

    fn put(&mut self, to: usize, bytes: &[u8]) {
        // Behind a FIN nothing can be written.
        if !self.fin[to] {
            self.way[to].extend(bytes);
        }
    }

    fn deliver(&mut self, to: usize, count: usize) {
        let count = count.min(self.way[to].len());
        let bytes: Vec<u8> = self.way[to].drain(..count).collect();
        if !bytes.is_empty() {
            self.ends[to].input(&bytes);
        }
        if self.fin[to] && self.way[to].is_empty() && !self.told[to] {
            self.told[to] = true;
            self.ends[to].eof();
        }
        self.ends[to].check();
    }

    fn pass(&mut self, time: Duration) {
        self.passed += time;
        for end in &mut self.ends {
            end.now += time;
            end.apply(&Operation::Timeout);
            end.check();
        }
    }

    /// What the drivers do by themselves: a FIN where it is wanted, and after the ending.
    fn exchange_ends(&mut self) {
        for at in 0..2 {
            let over = self.ends[at].connection.state() == State::Closed;
            if self.ends[at].shut_write() || over {
                self.fin[1 - at] = true;
            }
        }
    }

    /// Closes whatever is open, lets everything arrive, and looks at the result.
    fn finish(&mut self) {
        for _ in 0..4 {
            self.settle();
            for at in 0..2 {
                let close = Operation::Close {
                    code: SendCode::NORMAL_CLOSURE,
                    reason: 0,
                    driver: false,
                };
                self.at(at, &Operation::Resume);
                self.at(at, &close);
            }
        }
        let calm = !self.broken && self.passed < CALM;
        for end in &mut self.ends {
            if calm {
                let ending = end.ending.as_ref().expect("an ending without help");
                assert!(ending.is_clean(), "{ending:?}");
            }
            end.finish();
        }
        for (from, to) in [(0, 1), (1, 0)] {
            let is_message = |seen: &&Seen| matches!(seen, Seen::Text(_) | Seen::Binary(_));
            let arrived: Vec<Seen> = self.ends[to]
                .seen
                .iter()
                .filter(is_message)
                .cloned()
                .collect();
            assert!(self.sent[from].starts_with(&arrived), "in order and equal");
            if calm {
                assert_eq!(self.sent[from].len(), arrived.len(), "all of them");
                assert!(self.ends[from].sending.is_empty());
            }
        }
    }

    /// Lets everything arrive that is under way.
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for at in 0..2 {
                self.at(at, &Operation::PollAll);
                let bytes = self.ends[at].transmit_all();
                self.put(1 - at, &bytes);
                self.exchange_ends();
                let told = self.told;
                moved |= !bytes.is_empty() || !self.way[1 - at].is_empty();
                self.deliver(1 - at, usize::MAX);
                moved |= told != self.told;
            }
            if !moved {
                return;
            }
        }
    }
}

fn index(role: Role) -> usize {
    usize::from(role == Role::Server)
}
