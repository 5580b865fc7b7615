//! A client, and the owners that its session has one after the other, over a store.

use std::collections::VecDeque;
use std::time::Duration;

use revoir_session::{
    Acks, Claims, Config, Event, Fate, Fresh, GapReason, Grant, Hello, Judgement, Keys, Message,
    Outgoing, Principal, Session, SessionId, Verdict, judge,
};
use revoir_store::{Durable, Owned, Store, Stored, Take, Written};

const ID: SessionId = SessionId([5; 16]);
const OWNER: Principal = Principal([8; 32]);

/// What became of all messages, which are numbers.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    pub(crate) client_sent: Vec<u64>,
    /// By the application of any owner.
    pub(crate) taken: Vec<u64>,
    pub(crate) returned: Vec<(u64, Fate)>,
    pub(crate) server_sent: Vec<u64>,
    /// The keys of those of them that the store had.
    pub(crate) promised: Vec<u64>,
    pub(crate) got: Vec<u64>,
    /// What the client was told of as a gap.
    pub(crate) missing: u64,
    /// Of the messages of sessions that the client knows to be over, so many never came.
    pub(crate) excused: usize,
    pub(crate) losses: u64,
    pub(crate) sessions: usize,
}

pub(crate) struct World<'a> {
    store: &'a dyn Store,
    durable: Durable,
    keys: Keys,
    now: Duration,
    client: Session,
    server: Session,
    owned: Owned,
    owner: u64,
    id: SessionId,
    /// Sessions that were given up, which stores know as well.
    over: Vec<Session>,
    /// Whether anybody has the session.
    is_there: bool,
    is_away: bool,
    /// The last owner that was lost had used its memory in place of the store.
    was_volatile: bool,
    /// What the application of the owner has not taken: messages, each with the count that it makes.
    waiting: VecDeque<(u64, u64)>,
    /// What the application of the owner gave and the store may not have: number and message.
    given: VecDeque<(u64, u64)>,
    up: VecDeque<Message>,
    down: VecDeque<Message>,
    pub(crate) fates: Fates,
}

pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.acks = Acks::OnCommit;
    config
}

fn text(number: u64) -> bytes::Bytes {
    number.to_string().into()
}

fn number(message: &Message) -> u64 {
    let (Message::Text(bytes) | Message::Binary(bytes)) = message;
    std::str::from_utf8(bytes).unwrap().parse().unwrap()
}

impl<'a> World<'a> {
    pub(crate) async fn new(store: &'a dyn Store, durable: Durable) -> Self {
        let keys = Keys::new([7; 32]);
        let now = Duration::ZERO;
        let mut client = Session::client(now, Config::default());
        let hello = connect(&mut client, now);
        let Judgement::Begin(fresh) = judge(&hello, None, &OWNER, &store.epoch(ID), None) else {
            panic!("it has no token");
        };
        let grant = grant(&keys, store, ID, 1, false);
        let mut server = Session::accept(now, config(), &hello, ID, fresh, grant);
        let owned = Owned::begin(1, durable, &mut server);
        let mut world = Self {
            store,
            durable,
            keys,
            now,
            client,
            server,
            owned,
            owner: 1,
            id: ID,
            over: Vec::new(),
            is_there: true,
            is_away: false,
            was_volatile: false,
            waiting: VecDeque::new(),
            given: VecDeque::new(),
            up: VecDeque::new(),
            down: VecDeque::new(),
            fates: Fates {
                sessions: 1,
                ..Fates::default()
            },
        };
        world.pump();
        assert!(world.down.is_empty(), "WELCOME waits for the store");
        world.tick().await;
        world.deliver(usize::MAX);
        assert!(world.client.is_open());
        world
    }

    pub(crate) fn client_sends(&mut self) {
        let next = self.fates.client_sent.len() as u64;
        if self.client.send_text(text(next)).is_ok() {
            self.fates.client_sent.push(next);
        }
        self.pump();
    }

    pub(crate) fn server_sends(&mut self) {
        let next = self.fates.server_sent.len() as u64;
        if let Ok(number) = self.server.send_text(text(next)) {
            self.fates.server_sent.push(next);
            self.given.push_back((number, next));
        }
        self.pump();
    }

    /// The application of the owner takes so many.
    pub(crate) fn take(&mut self, count: usize) {
        for (received, message) in self.waiting.drain(..count.min(self.waiting.len())) {
            self.fates.taken.push(message);
            self.owned.take(&mut self.server, self.now, received);
        }
        self.pump();
    }

    /// Up to so many messages arrive at each end.
    pub(crate) fn deliver(&mut self, count: usize) {
        for _ in 0..count {
            let (up, down) = (self.up.pop_front(), self.down.pop_front());
            if up.is_none() && down.is_none() {
                return;
            }
            if let (Some(message), Some(id)) = (up, self.server.connection()) {
                self.server.handle_message(self.now, id, message);
            }
            if let (Some(message), Some(id)) = (down, self.client.connection()) {
                self.client.handle_message(self.now, id, message);
            }
            self.pump();
        }
    }

    /// The store goes, or comes back.
    pub(crate) async fn flap(&mut self) {
        self.is_away = !self.is_away;
        self.tick().await;
    }

    /// Whatever is to be written is written to the store.
    pub(crate) async fn tick(&mut self) {
        self.now += Duration::from_millis(10);
        if self.is_away {
            self.owned.go_without(&mut self.server, self.now);
        } else if self.owned.is_behind(&self.server) {
            let (write, mark) = self.owned.write(&self.server, self.now);
            let written = self.store.write(vec![write]).await.unwrap();
            assert_eq!(written, [Written::Done]);
            self.owned.written(&mut self.server, self.now, mark);
        }
        while let Some((number, message)) = self.given.front().copied()
            && self.owned.is_stored(number)
        {
            self.fates.promised.push(message);
            self.given.pop_front();
        }
        self.pump();
    }

    /// Both ends lose the connection, with what is on it, and the client comes back.
    pub(crate) fn cut(&mut self) {
        self.leave();
        let hello = connect(&mut self.client, self.now);
        self.judge(&hello);
    }

    /// The owner is lost, and another one goes on with what the store has.
    pub(crate) async fn lose(&mut self, store: &'a dyn Store) {
        self.store = store;
        self.fates.losses += 1;
        self.was_volatile = self.server.is_volatile();
        // Whoever comes next can reach it.
        self.is_away = false;
        self.leave();
        self.waiting.clear();
        self.given.clear();
        self.owner += 1;
        let mut taken = self.take_over().await;
        if self.fates.losses.is_multiple_of(2) {
            // That one is lost before it has written anything.
            self.owner += 1;
            taken = self.take_over().await;
        }
        self.is_there = taken.is_some();
        if let Some(stored) = taken {
            let succeeded = Owned::succeed(self.owner, self.durable, &stored, self.now, config());
            (self.server, self.owned) = succeeded.unwrap();
        }
        let hello = connect(&mut self.client, self.now);
        self.judge(&hello);
        self.pump();
        assert!(self.down.is_empty(), "WELCOME waits for the store");
        self.tick().await;
    }

    /// Takes the session from whoever has it, if the store knows of it.
    async fn take_over(&self) -> Option<Stored> {
        let found = self.store.load(self.id).await.unwrap()?;
        let take = Take {
            session: self.id,
            expects: found.generation,
            generation: found.generation + 1,
            owner: self.owner,
        };
        let taken = self.store.take(take).await.unwrap();
        Some(taken.expect("nobody else wants it"))
    }

    /// Everything arrives, and is acknowledged.
    pub(crate) async fn settle(&mut self) {
        self.is_away = false;
        for _ in 0..6 {
            self.deliver(usize::MAX);
            self.take(usize::MAX);
            self.tick().await;
            self.now += Duration::from_secs(1);
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
            self.pump();
        }
        assert_eq!((self.client.ended(), self.server.ended()), (None, None));
        assert_eq!((self.client.kept().0, self.server.kept().0), (0, 0));
    }

    fn leave(&mut self) {
        for end in [&mut self.client, &mut self.server] {
            if let Some(id) = end.connection() {
                end.handle_disconnect(self.now, id, None);
            }
        }
        self.up.clear();
        self.down.clear();
        self.pump();
    }

    fn judge(&mut self, hello: &Hello) {
        let claims = self.keys.open(&hello.resume.as_ref().unwrap().token);
        let epoch = self.store.epoch(self.id);
        let known = Some(&self.server).filter(|_| self.is_there);
        let is_it = |it: &&Session| claims.is_some_and(|claims| claims.session == it.id());
        let found = known.into_iter().chain(&self.over).find(is_it);
        match judge(hello, claims.as_ref(), &OWNER, &epoch, found) {
            Judgement::Resume => {
                let grant = self.grant(self.server.next_generation());
                self.server.resume(self.now, hello, &claims.unwrap(), grant);
            }
            Judgement::Begin(fresh) => {
                let is_last = claims.is_some_and(|it| it.session == self.id);
                self.begin(hello, fresh, is_last);
            }
            Judgement::Late => panic!("it has no other connection"),
        }
        self.pump();
    }

    /// Nobody knows any more what became of the session.
    fn begin(&mut self, hello: &Hello, fresh: Fresh, is_last: bool) {
        assert_eq!(fresh.verdict, Verdict::Epoch);
        let says_volatile = hello.resume.as_ref().is_some_and(|it| it.volatile);
        // Or it has not heard yet that it has another session.
        let is_needed = self.was_volatile || says_volatile || !is_last;
        assert!(is_needed, "given up without need");
        let missing = self.fates.server_sent.len() - self.fates.got.len();
        (self.fates.excused, self.fates.missing) = (missing, 0);
        self.fates.sessions += 1;
        self.id.0[0] += 1;
        let grant = self.grant(1);
        let session = Session::accept(self.now, config(), hello, self.id, fresh, grant);
        let mut old = std::mem::replace(&mut self.server, session);
        if self.is_there {
            old.give_up(hello);
            self.over.push(old);
        }
        self.is_there = true;
        self.waiting.clear();
        self.given.clear();
        self.owned = Owned::begin(self.owner, self.durable, &mut self.server);
    }

    fn grant(&self, generation: u64) -> Grant {
        grant(&self.keys, self.store, self.id, generation, self.is_away)
    }

    fn pump(&mut self) {
        while let Some(transmit) = self.client.poll_transmit(self.now) {
            if let Outgoing::Message(message) = transmit.outgoing {
                self.up.push_back(message);
            }
        }
        while self.owned.is_claimed(&self.server)
            && let Some(transmit) = self.server.poll_transmit(self.now)
        {
            if let Outgoing::Message(message) = transmit.outgoing {
                self.down.push_back(message);
            }
        }
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Message { key, message } => {
                    self.waiting.push_back((key.number, number(&message)));
                }
                Event::Gap { key, count, reason } => {
                    // The client does not send again what is in doubt: its place is taken.
                    assert_eq!(reason, GapReason::InDoubt);
                    if self.waiting.is_empty() {
                        let received = key.number + count - 1;
                        self.owned.take(&mut self.server, self.now, received);
                    }
                }
                _ => {}
            }
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Message { message, .. } => self.fates.got.push(number(&message)),
                Event::Gap { count, reason, .. } => {
                    assert_eq!(reason, GapReason::OwnerLost);
                    self.fates.missing += count;
                }
                Event::Returned { message, fate, .. } => {
                    self.fates.returned.push((number(&message), fate));
                }
                _ => {}
            }
        }
    }
}

fn connect(client: &mut Session, now: Duration) -> Hello {
    client.connect(now, None, None).unwrap();
    let hello = client.poll_transmit(now).unwrap();
    let Outgoing::Message(Message::Binary(hello)) = hello.outgoing else {
        panic!("HELLO comes first");
    };
    Hello::decode(&hello).unwrap()
}

fn grant(keys: &Keys, store: &dyn Store, id: SessionId, generation: u64, volatile: bool) -> Grant {
    let claims = Claims {
        session: id,
        generation,
        epoch: store.epoch(id),
        principal: OWNER,
    };
    Grant {
        token: keys.seal(&claims, [4; 24]),
        protocol: None,
        headers: None,
        volatile,
    }
}
