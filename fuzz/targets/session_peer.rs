//! What a peer of a session may send, to either end: no panic, one ending, messages counted one by
//! one, and no more kept than the window says; what HELLO says can be written, and is then the same;
//! a token that no key made says nothing.
#![no_main]

use std::time::Duration;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use revoir_session::{
    Claims, Config, ConnectionId, Epoch, Event, Fresh, Grant, Hello, Judgement, Keys, Message,
    Outgoing, Principal, Session, SessionId, Token, Verdict, Window, judge,
};

/// One byte each, and its arguments: a byte, or a length and so many bytes.
#[derive(Debug)]
enum Op<'a> {
    Text(&'a [u8]),
    Binary(&'a [u8]),
    /// HELLO of an honest client with these counts, or another connection of a client.
    Open([u8; 3]),
    Late(&'a [u8]),
    Send(u8),
    Disconnect(Option<u16>),
    Wait(u8),
    Bye,
    Volatile(bool),
}

const CODES: [Option<u16>; 6] = [
    None,
    Some(1001),
    Some(1007),
    Some(1009),
    Some(4090),
    Some(4094),
];

fn ops(mut bytes: &[u8]) -> Vec<Op<'_>> {
    let mut ops = Vec::new();
    while let Some((kind, rest)) = bytes.split_first() {
        let (argument, behind) = rest.split_first().unwrap_or((&0, &[]));
        let length = usize::from(*argument).min(behind.len());
        let (op, rest) = match kind % 9 {
            0 => (Op::Text(&behind[..length]), &behind[length..]),
            1 => (Op::Binary(&behind[..length]), &behind[length..]),
            2 => match rest.split_first_chunk() {
                Some((counts, rest)) => (Op::Open(*counts), rest),
                None => return ops,
            },
            3 => (Op::Late(&behind[..length]), &behind[length..]),
            4 => (Op::Send(*argument), behind),
            5 => {
                let code = CODES[usize::from(*argument) % CODES.len()];
                (Op::Disconnect(code), behind)
            }
            6 => (Op::Wait(*argument), behind),
            7 => (Op::Bye, rest),
            _ => (Op::Volatile(argument % 2 == 1), behind),
        };
        ops.push(op);
        bytes = rest;
    }
    ops
}

const ID: SessionId = SessionId([7; 16]);
const WINDOW: Window = Window {
    messages: 5,
    bytes: 64,
};

fuzz_target!(|bytes: &[u8]| {
    alone(bytes);
    let Some((flags, bytes)) = bytes.split_first() else {
        return;
    };
    let mut end = End::new(flags % 2 == 1, flags % 4 >= 2);
    for op in ops(bytes) {
        if let Op::Binary(bytes) = op {
            alone(bytes);
        }
        end.run(&op);
        end.check();
    }
});

/// Bytes as the first message of a connection, and as a token.
fn alone(bytes: &[u8]) {
    let bytes = Bytes::copy_from_slice(bytes);
    if let Ok(hello) = Hello::decode(&bytes) {
        assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
    }
    if let Ok(token) = Token::new(bytes) {
        assert_eq!(Keys::new([9; 32]).open(&token), None, "a forged token");
    }
}

struct End {
    session: Session,
    config: Config,
    now: Duration,
    received: u64,
    is_over: bool,
    /// How often the store went or came: that is told each time.
    changes: u64,
}

impl End {
    fn new(is_client: bool, waits_for_store: bool) -> Self {
        let mut config = Config::default();
        config.window = WINDOW;
        if waits_for_store {
            config.acks = revoir_session::Acks::OnCommit;
        }
        let session = match is_client {
            true => {
                let mut client = Session::client(Duration::ZERO, config.clone());
                client.connect(Duration::ZERO, None, None).unwrap();
                client
            }
            false => accept(&config, &hello()),
        };
        Self {
            session,
            config,
            now: Duration::ZERO,
            received: 0,
            is_over: false,
            changes: 0,
        }
    }

    fn run(&mut self, op: &Op<'_>) {
        let now = self.now;
        let id = self.session.connection().unwrap_or(ConnectionId(0));
        match op {
            Op::Text(text) => {
                let text = Message::Text(Bytes::copy_from_slice(text));
                self.session.handle_message(now, id, text);
            }
            Op::Binary(bytes) => {
                let bytes = Message::Binary(Bytes::copy_from_slice(bytes));
                self.session.handle_message(now, id, bytes);
            }
            Op::Open([received, acked, sent]) => self.open(*received, *acked, *sent),
            Op::Late(bytes) => {
                let before = self.session.received();
                let bytes = Message::Binary(Bytes::copy_from_slice(bytes));
                let late = ConnectionId(id.0.wrapping_add(1));
                self.session.handle_message(now, late, bytes);
                assert_eq!(self.session.received(), before);
            }
            Op::Send(length) => {
                let _ = self.session.send_binary(&vec![1; usize::from(*length)]);
            }
            Op::Disconnect(code) => self.session.handle_disconnect(now, id, *code),
            Op::Wait(millis) => {
                self.now += Duration::from_millis(u64::from(*millis) * 100);
                self.session.handle_timeout(self.now);
            }
            Op::Bye => {
                let _ = self.session.bye(revoir_session::Bye {
                    origin: revoir_session::Origin::Application,
                    code: revoir_codes::SendCode::NORMAL_CLOSURE,
                    reason: "bye".to_owned(),
                });
            }
            Op::Volatile(volatile) => {
                self.changes += 1;
                self.session.set_volatile(*volatile);
            }
        }
    }

    fn open(&mut self, received: u8, acked: u8, sent: u8) {
        if self.session.role() == revoir_session::Role::Client {
            let _ = self.session.connect(self.now, None, None);
            return;
        }
        let mut hello = hello();
        hello.resume = Some(revoir_session::Resume {
            token: token(),
            received: received.into(),
            acked: acked.into(),
            sent: sent.into(),
            attempt: 1,
            volatile: false,
        });
        let claims = Claims {
            session: ID,
            generation: self.session.generation(),
            epoch: Epoch::default(),
            principal: Principal::NONE,
        };
        let store = (Principal::NONE, Epoch::default());
        let found = Some(&self.session);
        match judge(&hello, Some(&claims), &store.0, &store.1, found) {
            Judgement::Resume => {
                self.changes += 1;
                self.session.resume(self.now, &hello, &claims, grant());
            }
            Judgement::Begin(_) => {
                self.session = accept(&self.config, &hello);
                (self.received, self.is_over) = (0, false);
            }
            Judgement::Late => {}
        }
    }

    fn check(&mut self) {
        let mut closed = false;
        while let Some(transmit) = self.session.poll_transmit(self.now) {
            assert!(!closed, "something behind Close");
            closed = matches!(transmit.outgoing, Outgoing::Close(_));
        }
        while let Some(event) = self.session.poll_event() {
            assert!(!self.is_over, "{event:?} after the end");
            match event {
                Event::Message { key, .. } => {
                    self.received += 1;
                    assert_eq!(key.number, self.received);
                }
                Event::Gap { key, count, .. } => {
                    assert_eq!(key.number, self.received + 1);
                    self.received += count;
                }
                Event::BackendChanged(_) | Event::Volatile(_) => self.received += 1,
                Event::Welcome(welcome) if welcome.verdict.is_fresh() => self.received = 0,
                Event::Ended(_) => self.is_over = true,
                _ => {}
            }
        }
        let (messages, bytes) = self.session.kept();
        // The window, the gaps between, BYE, and VOLATILE.
        let most = 2 * WINDOW.messages + 2 + self.changes;
        assert!(messages as u64 <= most, "{messages}");
        assert!(bytes <= WINDOW.bytes + 255, "{bytes}");
        assert!(self.session.acknowledged() <= self.session.sent());
        assert!(self.session.committed() <= self.session.received());
    }
}

fn hello() -> Hello {
    Hello {
        resume: None,
        window: WINDOW,
        ttl: None,
        protocols: None,
        headers: None,
    }
}

fn accept(config: &Config, hello: &Hello) -> Session {
    let fresh = Fresh {
        verdict: Verdict::New,
        received: None,
        lost: None,
        bound: false,
        is_failure: false,
    };
    Session::accept(Duration::ZERO, config.clone(), hello, ID, fresh, grant())
}

fn grant() -> Grant {
    Grant {
        token: token(),
        protocol: None,
        headers: None,
        volatile: false,
    }
}

fn token() -> Token {
    Token::new(Bytes::from_static(b"token")).unwrap()
}
