//! What a target does with the adapters of `revoir-adapters`: a [`Case`] is a client, servers that go
//! and come, and everything that they say.

mod pieces;
mod relay;
mod servers;

use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use revoir_adapters::{Applications, OwnedMessage, Protocol};

use crate::adapted::pieces::Pieces;
use crate::adapted::relay::{JAVASCRIPT, PYTHON, Relay};

/// What happens to one connection.
#[derive(Clone, Debug)]
pub struct Case {
    protocol: Protocol,
    applications: Applications,
    /// What a client of Socket.IO asks for.
    query: &'static str,
    /// Whether servers say what [`servers`] have them say, and not what the input has.
    is_honest: bool,
    /// Whether a server remembers sessions of the one before it.
    is_persistent: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Client(OwnedMessage),
    Server(OwnedMessage),
    /// So many messages of an honest server arrive.
    Hear(u8),
    /// Whether the adapter is asked before.
    Lose(bool),
    Back,
    Pass(Duration),
}

impl Case {
    /// Plays it. Panics where a promise is broken.
    pub fn play(&self) {
        let mut relay = Relay::new(
            self.protocol,
            self.applications,
            self.query,
            self.is_honest,
            self.is_persistent,
        );
        for step in &self.steps {
            match step {
                Step::Client(message) => relay.client(message),
                Step::Server(message) => relay.server(message),
                Step::Hear(count) => relay.hear(usize::from(*count)),
                Step::Lose(is_asked) => relay.lose(*is_asked),
                Step::Back => relay.back(),
                Step::Pass(time) => relay.pass(*time),
            }
            if relay.is_over() {
                return;
            }
        }
        relay.come_to_rest();
    }

    /// Shows the steps, if `FUZZ_PRINT` is set.
    pub fn print(&self) {
        if std::env::var_os("FUZZ_PRINT").is_none() {
            return;
        }
        let (protocol, honest) = (self.protocol, self.is_honest);
        println!(
            "{protocol}, {}, honest: {honest}, persistent: {}",
            self.query, self.is_persistent
        );
        for step in &self.steps {
            match step {
                Step::Client(message) => println!("client {}", shown(message)),
                Step::Server(message) => println!("server {}", shown(message)),
                other => println!("{other:?}"),
            }
        }
    }
}

fn shown(message: &OwnedMessage) -> String {
    let payload = message.as_message().payload();
    let start = payload[..payload.len().min(200)].escape_ascii();
    format!("{} bytes: {start}", payload.len())
}

impl<'a> Arbitrary<'a> for Case {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let protocol = Protocol::ALL[usize::from(input.arbitrary::<u8>()?) % Protocol::ALL.len()];
        let flags = input.arbitrary::<u8>()?;
        let mut case = Self {
            protocol,
            applications: match flags & 0x80 {
                0 => Applications::Known,
                _ => Applications::Unknown,
            },
            query: match flags & 0x40 {
                0 => JAVASCRIPT,
                _ => PYTHON,
            },
            is_honest: flags & 1 == 0,
            is_persistent: flags & 2 == 0,
            steps: Vec::new(),
        };
        let mut pieces = Pieces::of(protocol);
        let mut messages = Vec::new();
        if flags & 4 == 0 {
            // Most of what is worth a look comes behind a hello.
            pieces.hello(usize::from(flags >> 3), &mut messages);
            case.steps.push(Step::Hear(1));
            case.steps.extend(messages.drain(..).map(Step::Client));
            case.steps.push(Step::Hear(u8::MAX));
        }
        while !input.is_empty() {
            match input.arbitrary::<u8>()? % 16 {
                0..=5 => {
                    pieces.client(input, &mut messages)?;
                    case.steps.extend(messages.drain(..).map(Step::Client));
                }
                6..=9 if case.is_honest => case.steps.push(Step::Hear(input.arbitrary()?)),
                6..=9 => {
                    pieces.server(input, &mut messages)?;
                    case.steps.extend(messages.drain(..).map(Step::Server));
                }
                10 | 11 => case.steps.push(Step::Lose(true)),
                12 => case.steps.push(Step::Lose(false)),
                13 | 14 => case.steps.push(Step::Back),
                _ => {
                    let time = u64::from(input.arbitrary::<u8>()?) * 250;
                    case.steps.push(Step::Pass(Duration::from_millis(time)));
                }
            }
        }
        Ok(case)
    }
}
