//! A client and a server that talk without a network between them.

use std::time::Duration;

use bytes::Bytes;
use revoir_session::{
    Claims, Config, Epoch, Event, Fresh, Grant, Hello, Judgement, Message, Outgoing, Principal,
    Session, SessionId, Token, Transmit, judge,
};

pub(crate) const ID: SessionId = SessionId([5; 16]);
pub(crate) const EPOCH: Epoch = Epoch([3; 8]);
pub(crate) const OWNER: Principal = Principal([8; 32]);

/// Both ends, and the bytes between them.
pub(crate) struct Pair {
    pub(crate) now: Duration,
    pub(crate) client: Session,
    pub(crate) server: Session,
    /// What each end wrote, in order.
    pub(crate) up: Vec<Transmit>,
    pub(crate) down: Vec<Transmit>,
    pub(crate) at_client: Vec<Event>,
    pub(crate) at_server: Vec<Event>,
}

impl Pair {
    pub(crate) fn new() -> Self {
        Self::with(Config::default(), Config::default())
    }

    pub(crate) fn with(client: Config, server: Config) -> Self {
        let now = Duration::ZERO;
        let mut client = Session::client(now, client);
        client.connect(now, None, None).unwrap();
        let hello = first(&mut client);
        let server = Session::accept(now, server, &hello, ID, new(), grant(1));
        let mut pair = Self {
            now,
            client,
            server,
            up: Vec::new(),
            down: Vec::new(),
            at_client: Vec::new(),
            at_server: Vec::new(),
        };
        pair.talk();
        pair.at_client.clear();
        pair
    }

    /// Everything that both want to write arrives.
    pub(crate) fn talk(&mut self) {
        loop {
            let (up, down) = (self.up.len(), self.down.len());
            while let Some(transmit) = self.client.poll_transmit(self.now) {
                if let (Outgoing::Message(message), Some(id)) =
                    (&transmit.outgoing, self.server.connection())
                {
                    self.server.handle_message(self.now, id, message.clone());
                }
                self.up.push(transmit);
            }
            while let Some(transmit) = self.server.poll_transmit(self.now) {
                if let (Outgoing::Message(message), Some(id)) =
                    (&transmit.outgoing, self.client.connection())
                {
                    self.client.handle_message(self.now, id, message.clone());
                }
                self.down.push(transmit);
            }
            self.at_client
                .extend(std::iter::from_fn(|| self.client.poll_event()));
            self.at_server
                .extend(std::iter::from_fn(|| self.server.poll_event()));
            if (up, down) == (self.up.len(), self.down.len()) {
                return;
            }
        }
    }

    pub(crate) fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        self.talk();
    }

    pub(crate) fn cut(&mut self, code: Option<u16>) {
        for end in [&mut self.client, &mut self.server] {
            if let Some(id) = end.connection() {
                end.handle_disconnect(self.now, id, code);
            }
        }
        self.talk();
    }

    /// The client comes back; says what the server made of it.
    pub(crate) fn resume(&mut self) -> Judgement {
        self.client.connect(self.now, None, None).unwrap();
        let hello = first(&mut self.client);
        let claims = claims(&hello.resume.as_ref().unwrap().token);
        let judgement = judge(&hello, Some(&claims), &OWNER, &EPOCH, Some(&self.server));
        if judgement == Judgement::Resume {
            let grant = grant(self.server.next_generation());
            self.server.resume(self.now, &hello, &claims, grant);
        }
        self.talk();
        judgement
    }
}

pub(crate) const fn new() -> Fresh {
    Fresh {
        verdict: revoir_session::Verdict::New,
        received: None,
        lost: None,
        bound: false,
        is_failure: false,
    }
}

/// HELLO, which an end writes first.
pub(crate) fn first(client: &mut Session) -> Hello {
    let transmit = client.poll_transmit(Duration::ZERO).unwrap();
    assert!(!transmit.compressible, "a message with a token");
    let Outgoing::Message(Message::Binary(message)) = transmit.outgoing else {
        panic!("{transmit:?}");
    };
    Hello::decode(&message).unwrap()
}

pub(crate) fn grant(generation: u64) -> Grant {
    Grant {
        token: Token::new(Bytes::copy_from_slice(&generation.to_be_bytes())).unwrap(),
        protocol: None,
        headers: None,
        volatile: false,
    }
}

pub(crate) fn claims(token: &Token) -> Claims {
    Claims {
        session: ID,
        generation: u64::from_be_bytes(token.as_bytes().try_into().unwrap()),
        epoch: EPOCH,
        principal: OWNER,
    }
}

/// The bytes of what was written as frames, with their headers: masked if they are a client's.
pub(crate) fn on_the_wire(written: &[Transmit], masked: bool) -> usize {
    let sizes = written.iter().map(|transmit| match &transmit.outgoing {
        Outgoing::Message(Message::Text(bytes) | Message::Binary(bytes)) => bytes.len(),
        Outgoing::Close(close) => 2 + close.reason.len(),
    });
    let header = |size| match size {
        0..126 => 2,
        126..65_536 => 4,
        _ => 10,
    };
    sizes
        .map(|size| size + header(size) + if masked { 4 } else { 0 })
        .sum()
}
