//! A scenario: what is done to one end, and what it writes and tells each time.

use std::time::Duration;

use bytes::Bytes;
use revoir_codes::SendCode;
use revoir_session::{
    Acks, Bye, Claims, Config, ConnectionId, Ended, Epoch, Event, Grant, Hello, InDoubt, Judgement,
    Message, Origin, Outgoing, Overflow, Principal, Session, SessionId, Token, Verdict, Welcome,
    Window, judge,
};
use serde_json::{Map, Value, json};

pub(crate) const SESSION: SessionId = SessionId([0xab; 16]);
pub(crate) const OTHER: SessionId = SessionId([0xcd; 16]);
pub(crate) const EPOCH: Epoch = Epoch([0xee; 8]);
pub(crate) const OWNER: Principal = Principal([0x11; 32]);

pub(crate) struct Script {
    name: &'static str,
    config: Config,
    session: Option<Session>,
    now: Duration,
    connection: ConnectionId,
    before: ConnectionId,
    steps: Vec<Value>,
}

impl Script {
    pub(crate) fn client(name: &'static str) -> Self {
        Self::client_with(name, |_| {})
    }

    pub(crate) fn client_with(name: &'static str, edit: impl FnOnce(&mut Config)) -> Self {
        let mut script = Self::server_with(name, edit);
        script.session = Some(Session::client(Duration::ZERO, script.config.clone()));
        script
    }

    pub(crate) fn server(name: &'static str) -> Self {
        Self::server_with(name, |_| {})
    }

    pub(crate) fn server_with(name: &'static str, edit: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        edit(&mut config);
        Self {
            name,
            config,
            session: None,
            now: Duration::ZERO,
            connection: ConnectionId(0),
            before: ConnectionId(0),
            steps: Vec::new(),
        }
    }

    pub(crate) fn done(self) -> Value {
        let in_doubt = match self.config.in_doubt {
            InDoubt::Again => "again",
            _ => "return",
        };
        let overflow = match self.config.overflow {
            Overflow::Expire => "expire",
            Overflow::DropOldest => "drop-oldest",
            _ => "wait",
        };
        let mut done = json!({
            "name": self.name,
            "config": {
                "window-messages": self.config.window.messages,
                "window-bytes": self.config.window.bytes,
                "ttl": millis(self.config.ttl),
                "heartbeat": millis(self.config.heartbeat),
                "in-doubt": in_doubt,
                "overflow": overflow,
            },
            "steps": self.steps,
        });
        if self.config.acks == Acks::OnCommit {
            done["config"]["acks"] = json!("on-commit");
        }
        done
    }

    fn session(&mut self) -> &mut Session {
        self.session.as_mut().unwrap()
    }

    /// Notes a step, and what followed.
    fn step(mut self, what: Value) -> Self {
        let now = self.now;
        let (mut write, mut events, mut timeout) = (Vec::new(), Vec::new(), None);
        if let Some(session) = &mut self.session {
            while let Some(transmit) = session.poll_transmit(now) {
                write.push(outgoing(&transmit.outgoing));
            }
            while let Some(told) = session.poll_event() {
                events.push(event(told));
            }
            timeout = session.poll_timeout().map(millis);
        }
        let mut step = Map::new();
        step.insert("at".to_owned(), json!(millis(now)));
        let Value::Object(what) = what else {
            panic!("a step is an object");
        };
        step.extend(what);
        step.insert("write".to_owned(), write.into());
        step.insert("events".to_owned(), events.into());
        step.insert("timeout".to_owned(), json!(timeout));
        self.steps.push(step.into());
        self
    }

    /// The time of what follows; nothing is due before it.
    pub(crate) fn at(mut self, millis: u64) -> Self {
        self.now = Duration::from_millis(millis);
        self
    }

    pub(crate) fn send(mut self, text: &'static str) -> Self {
        let number = self.session().send_text(text.into()).ok();
        self.step(json!({"do": "send", "message": format!("text:{text}"), "number": number}))
    }

    pub(crate) fn send_binary(mut self, bytes: &[u8]) -> Self {
        let number = self.session().send_binary(bytes).ok();
        self.step(json!({"do": "send", "message": format!("hex:{}", hex(bytes)), "number": number}))
    }

    pub(crate) fn bye(mut self, code: SendCode, reason: &str) -> Self {
        let bye = Bye {
            origin: Origin::Application,
            code,
            reason: reason.to_owned(),
        };
        self.session().bye(bye).unwrap();
        self.step(json!({"do": "bye", "code": code.get(), "reason": reason}))
    }

    pub(crate) fn connect(mut self) -> Self {
        let now = self.now;
        self.before = self.connection;
        self.connection = self.session().connect(now, None, None).unwrap();
        self.step(json!({"do": "connect"}))
    }

    pub(crate) fn receive(mut self, bytes: impl Into<Bytes>) -> Self {
        let (now, id, bytes) = (self.now, self.connection, bytes.into());
        let told = format!("hex:{}", hex(&bytes));
        self.session()
            .handle_message(now, id, Message::Binary(bytes));
        self.step(json!({"do": "receive", "message": told}))
    }

    pub(crate) fn receive_text(mut self, text: &'static str) -> Self {
        let (now, id) = (self.now, self.connection);
        self.session().handle_message(now, id, text.into());
        self.step(json!({"do": "receive", "message": format!("text:{text}")}))
    }

    /// From the connection before.
    pub(crate) fn receive_late(mut self, text: &'static str) -> Self {
        let (now, id) = (self.now, self.before);
        self.session().handle_message(now, id, text.into());
        self.step(json!({"do": "receive-late", "message": format!("text:{text}")}))
    }

    pub(crate) fn disconnect(mut self, code: Option<u16>) -> Self {
        let (now, id) = (self.now, self.connection);
        self.session().handle_disconnect(now, id, code);
        self.step(json!({"do": "disconnect", "code": code}))
    }

    pub(crate) fn time(mut self, millis: u64) -> Self {
        self = self.at(millis);
        let now = self.now;
        self.session().handle_timeout(now);
        self.step(json!({"do": "time"}))
    }

    pub(crate) fn probe(mut self) -> Self {
        let now = self.now;
        self.session().probe(now);
        self.step(json!({"do": "probe"}))
    }

    /// Something of a server that has no bytes; `told` is how the file calls it.
    pub(crate) fn act(mut self, told: Value, act: impl FnOnce(&mut Session, Duration)) -> Self {
        let now = self.now;
        act(self.session.as_mut().unwrap(), now);
        self.step(told)
    }

    /// A client says HELLO on another connection.
    pub(crate) fn hello(mut self, bytes: &Bytes, asks: Asks) -> Self {
        let now = self.now;
        let hello = Hello::decode(bytes).unwrap();
        let claims = asks.generation.map(|generation| Claims {
            session: SESSION,
            generation,
            epoch: asks.epoch,
            principal: asks.principal,
        });
        let found = self.session.as_ref().filter(|_| asks.is_found);
        let judgement = judge(&hello, claims.as_ref(), &OWNER, &EPOCH, found);
        let told = json!({
            "do": "hello",
            "message": format!("hex:{}", hex(bytes)),
            "token": claims.map(|claims| json!({
                "generation": claims.generation,
                "epoch-is-ours": claims.epoch == EPOCH,
                "principal-is-theirs": claims.principal == OWNER,
            })),
            "session-is-known": asks.is_found && self.session.is_some(),
            "answer": match judgement {
                Judgement::Resume => "resumed",
                Judgement::Late => "late",
                Judgement::Begin(fresh) => fresh.verdict.id(),
            },
            "failed-resume": matches!(judgement, Judgement::Begin(fresh) if fresh.is_failure),
        });
        match judgement {
            Judgement::Late => {}
            Judgement::Resume => {
                let session = self.session.as_mut().unwrap();
                let grant = grant(session.next_generation());
                session.resume(now, &hello, &claims.unwrap(), grant);
            }
            Judgement::Begin(fresh) => {
                let config = self.config.clone();
                let id = match fresh.verdict {
                    Verdict::New => SESSION,
                    _ => OTHER,
                };
                let session = Session::accept(now, config, &hello, id, fresh, grant(1));
                self.session = Some(session);
            }
        }
        self.before = self.connection;
        let session = self.session.as_ref().unwrap();
        self.connection = session.connection().unwrap_or(self.connection);
        self.step(told)
    }

    /// The owner is lost, and the next one goes on with what the store has.
    pub(crate) fn succeed(mut self, reserved: u64) -> Self {
        let now = self.now;
        let mut snapshot = self.session().export(now);
        snapshot.reserved = Some(reserved);
        let config = self.config.clone();
        let session = Session::import(now, config, snapshot.into_successor()).unwrap();
        self.session = Some(session);
        self.step(json!({"do": "succeed", "reserved": reserved}))
    }
}

/// What a client shows with HELLO.
#[derive(Clone, Copy)]
pub(crate) struct Asks {
    /// Of its token; none if that is forged, or not there.
    pub(crate) generation: Option<u64>,
    pub(crate) epoch: Epoch,
    pub(crate) principal: Principal,
    pub(crate) is_found: bool,
}

impl Asks {
    pub(crate) const fn with(generation: u64) -> Self {
        Self {
            generation: Some(generation),
            epoch: EPOCH,
            principal: OWNER,
            is_found: true,
        }
    }

    pub(crate) const NOTHING: Self = Self {
        generation: None,
        ..Self::with(0)
    };
}

pub(crate) fn token(number: u64) -> Token {
    Token::new(format!("token-{number}").into()).unwrap()
}

fn grant(generation: u64) -> Grant {
    Grant {
        token: token(generation),
        protocol: None,
        headers: None,
        volatile: false,
    }
}

pub(crate) fn welcome(verdict: Verdict, generation: u64, received: Option<u64>) -> Welcome {
    Welcome {
        verdict,
        token: token(generation),
        session: if verdict.is_fresh() { OTHER } else { SESSION },
        generation,
        received,
        lost: None,
        bound: false,
        volatile: false,
        window: Window::DEFAULT,
        ttl: Duration::from_secs(120),
        heartbeat: Duration::from_secs(25),
        protocol: None,
        headers: None,
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn message(message: &Message) -> String {
    match message {
        Message::Text(text) => format!("text:{}", std::str::from_utf8(text).unwrap()),
        Message::Binary(bytes) => format!("hex:{}", hex(bytes)),
    }
}

fn outgoing(outgoing: &Outgoing) -> String {
    match outgoing {
        Outgoing::Message(it) => message(it),
        Outgoing::Close(close) => format!("close:{}:{}", close.code.get(), close.reason),
    }
}

fn event(event: Event) -> Value {
    match event {
        Event::Message { key, message: it } => {
            json!({"event": "message", "number": key.number, "message": message(&it)})
        }
        Event::Gap { key, count, reason } => {
            json!({"event": "gap", "number": key.number, "count": count, "reason": reason.id()})
        }
        Event::BackendChanged(change) => json!({
            "event": "backend-changed",
            "written": change.written,
            "received": change.received,
            "maybe-lost": change.maybe_lost,
        }),
        Event::Welcome(welcome) => json!({
            "event": "welcome",
            "verdict": welcome.verdict.id(),
            "session": welcome.session.to_string(),
            "generation": welcome.generation,
            "received": welcome.received,
            "lost": welcome.lost,
            "bound": welcome.bound,
            "volatile": welcome.volatile,
            "protocol": welcome.protocol,
            "headers": welcome.headers,
        }),
        Event::GoAway(goaway) => json!({
            "event": "goaway",
            "origin": goaway.origin.id(),
            "code": goaway.code.get(),
            "resumable": goaway.resumable,
            "after": millis(goaway.after),
            "spread": millis(goaway.spread),
            "reason": goaway.reason,
        }),
        Event::Volatile(volatile) => json!({"event": "volatile", "volatile": volatile}),
        Event::Token => json!({"event": "token"}),
        Event::Returned {
            key,
            message: it,
            fate,
        } => json!({
            "event": "returned",
            "number": key.number,
            "message": message(&it),
            "fate": fate.id(),
        }),
        Event::SentAgain { from, to } => {
            json!({"event": "sent-again", "from": from.number, "to": to.number})
        }
        Event::Writable => json!({"event": "writable"}),
        Event::Ended(ended) => ended_json(ended),
        other => panic!("no name for {other:?}"),
    }
}

fn ended_json(ended: Ended) -> Value {
    match ended {
        Ended::ByPeer(bye) => json!({
            "event": "ended",
            "by": "peer",
            "origin": bye.origin.id(),
            "code": bye.code.get(),
            "reason": bye.reason,
        }),
        Ended::Locally(bye) => json!({"event": "ended", "by": "bye", "code": bye.code.get()}),
        Ended::Lost(loss) => json!({"event": "ended", "by": loss.verdict().id()}),
        Ended::TakenOver => json!({"event": "ended", "by": "taken-over"}),
        Ended::Violation(violation) => {
            json!({"event": "ended", "by": "violation", "rule": violation.id()})
        }
        Ended::Refused => json!({"event": "ended", "by": "refused"}),
        other => panic!("no name for {other:?}"),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap()
}
