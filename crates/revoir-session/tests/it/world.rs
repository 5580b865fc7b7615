//! Two ends, a store and a network that cuts, loses the tail, keeps old connections and doubles
//! them. A WebSocket message that is cut inside does not arrive, so cuts between messages are all
//! the cuts there are.

use std::collections::VecDeque;
use std::time::Duration;

use revoir_session::{
    Acks, Claims, Close, Config, ConnectionId, Epoch, Event, Fate, GapReason, Grant, Hello,
    InDoubt, Judgement, Key, Message, Outgoing, Principal, Session, SessionId, Snapshot, Token,
    Transmit, Verdict, judge,
};

/// Which ends a schedule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The owner lives.
    Living,
    /// The owner has a store, and may be lost; what is in doubt is returned.
    Stored(InDoubt),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    ClientSends,
    ServerSends,
    /// The client opens another connection, whatever becomes of the one it has.
    Connect,
    /// So many messages arrive: of the newest connection, or the one before it, ...
    Up(usize, usize),
    Down(usize, usize),
    /// What is on its way behind the first so many messages is lost, and nothing follows.
    Cut(usize, usize),
    ClientNotices(usize),
    ServerNotices(usize),
    Wait(u64),
    /// Each end goes on as another value.
    MoveClient,
    MoveServer,
    /// The application of an owner that may be lost takes so many.
    Take(usize),
    /// The store gets the session, and the owner may acknowledge what it has.
    Write,
    /// The owner is lost; the next one begins with what the store has.
    Lose,
    /// The store is away, and back.
    StoreAway,
    StoreBack,
}

#[derive(Clone, Debug)]
struct Wire {
    client: ConnectionId,
    server: Option<ConnectionId>,
    up: VecDeque<Outgoing>,
    down: VecDeque<Outgoing>,
    is_cut: bool,
    client_knows: bool,
    server_knows: bool,
}

/// What one application got.
#[derive(Clone, Debug, Default)]
pub(crate) struct Got {
    pub(crate) messages: Vec<(Key, u64)>,
    pub(crate) gaps: Vec<(u64, GapReason)>,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    kind: Kind,
    now: Duration,
    client: Session,
    server: Option<Session>,
    graves: Vec<Session>,
    store: Option<Snapshot>,
    /// What the application of an owner that may be lost has not taken, and how many messages it has.
    waiting: VecDeque<(Event, u64)>,
    taken: u64,
    is_store_away: bool,
    /// How often the store went and came.
    flaps: u64,
    /// An owner was lost that used its memory in place of the store.
    volatile_loss: bool,
    /// Tokens that were given out; a token is its place here.
    claims: Vec<Claims>,
    wires: Vec<Wire>,
    pub(crate) sent_up: Vec<u64>,
    pub(crate) sent_down: Vec<u64>,
    pub(crate) at_server: Got,
    pub(crate) at_client: Got,
    pub(crate) returned: Vec<(u64, Fate)>,
    pub(crate) losses: usize,
    /// So many of the server's messages belong to sessions of which the client heard that they are over.
    pub(crate) excused: usize,
    pub(crate) sessions: usize,
    /// What was done so far.
    trail: Vec<Op>,
    /// So many of what the applications got were looked at.
    checked: (usize, usize),
}

const BLOCK: u64 = 4;
const EPOCH: Epoch = Epoch([3; 8]);
const OWNER: Principal = Principal([8; 32]);

impl World {
    pub(crate) fn new(kind: Kind) -> Self {
        let mut world = Self {
            kind,
            now: Duration::ZERO,
            client: Session::client(Duration::ZERO, client_config(kind)),
            server: None,
            graves: Vec::new(),
            store: None,
            waiting: VecDeque::new(),
            taken: 0,
            is_store_away: false,
            flaps: 0,
            volatile_loss: false,
            excused: 0,
            sessions: 0,
            claims: Vec::new(),
            wires: Vec::new(),
            sent_up: Vec::new(),
            sent_down: Vec::new(),
            at_server: Got::default(),
            at_client: Got::default(),
            returned: Vec::new(),
            losses: 0,
            trail: Vec::new(),
            checked: (0, 0),
        };
        world.connect();
        world.flush();
        world.run(Op::Write);
        world
    }

    pub(crate) fn run(&mut self, op: Op) {
        self.trail.push(op);
        match op {
            Op::ClientSends => {
                let id = self.sent_up.len() as u64;
                if self.client.send_text(id.to_string().into()).is_ok() {
                    self.sent_up.push(id);
                }
            }
            Op::ServerSends => {
                let id = self.sent_down.len() as u64;
                if let Some(server) = &mut self.server
                    && server.send_binary(id.to_string().as_bytes()).is_ok()
                {
                    self.sent_down.push(id);
                }
            }
            Op::Connect => self.connect(),
            Op::Up(back, count) => {
                let waiting = self.wire(back).map_or(0, |wire| wire.up.len());
                (0..count.min(waiting)).for_each(|_| self.arrive_up(back));
            }
            Op::Down(back, count) => {
                let waiting = self.wire(back).map_or(0, |wire| wire.down.len());
                (0..count.min(waiting)).for_each(|_| self.arrive_down(back));
            }
            Op::Cut(back, keeps) => {
                if let Some(wire) = self.wire(back) {
                    wire.up.truncate(keeps);
                    wire.down.truncate(keeps);
                    wire.is_cut = true;
                }
            }
            Op::ClientNotices(back) => self.client_notices(back),
            Op::ServerNotices(back) => self.server_notices(back),
            Op::Wait(millis) => {
                self.now += Duration::from_millis(millis);
                self.client.handle_timeout(self.now);
                if let Some(server) = &mut self.server {
                    server.handle_timeout(self.now);
                }
            }
            Op::MoveClient => self.move_client(),
            Op::MoveServer => self.move_server(),
            Op::Take(count) => self.take(count),
            Op::Write => self.write(),
            Op::Lose => self.lose(),
            Op::StoreAway => self.set_store(false),
            Op::StoreBack => self.set_store(true),
        }
        self.pump();
        self.check();
    }

    /// A last connection, on which everything arrives. Acknowledgements are waited for.
    pub(crate) fn settle(&mut self) {
        self.run(Op::StoreBack);
        self.connect();
        let trail = std::mem::take(&mut self.trail);
        for _ in 0..4 {
            self.flush();
            self.run(Op::Take(usize::MAX));
            self.run(Op::Write);
            self.run(Op::Wait(1000));
        }
        self.flush();
        let server = self.server.as_ref().unwrap();
        assert_eq!(self.client.ended(), None);
        assert_eq!(server.ended(), None);
        assert_eq!(self.client.received(), server.sent(), "down: {trail:?}");
        assert_eq!(server.received(), self.client.sent(), "up: {trail:?}");
        assert_eq!(self.client.kept().0, 0, "acknowledged at last");
        assert_eq!(server.kept().0, 0, "acknowledged at last");
    }

    fn connect(&mut self) {
        let client = self.client.connect(self.now, None, None).unwrap();
        self.wires.push(Wire {
            client,
            server: None,
            up: VecDeque::new(),
            down: VecDeque::new(),
            is_cut: false,
            client_knows: false,
            server_knows: false,
        });
        self.pump();
    }

    fn flush(&mut self) {
        while self
            .wire(0)
            .is_some_and(|wire| !wire.up.is_empty() || !wire.down.is_empty())
        {
            self.run(Op::Up(0, 100));
            self.run(Op::Down(0, 100));
        }
    }

    fn wire(&mut self, back: usize) -> Option<&mut Wire> {
        let at = self.wires.len().checked_sub(back + 1)?;
        self.wires.get_mut(at)
    }

    fn arrive_up(&mut self, back: usize) {
        let now = self.now;
        let Some(wire) = self.wire(back).filter(|wire| !wire.server_knows) else {
            return;
        };
        let Some(outgoing) = wire.up.pop_front() else {
            return;
        };
        let (server, client) = (wire.server, wire.client);
        match (outgoing, server) {
            (Outgoing::Close(close), server) => {
                panic!("the client closed {client:?} {server:?}: {close:?}")
            }
            (Outgoing::Message(message), None) => self.greet(back, message),
            (Outgoing::Message(message), Some(id)) => {
                if let Some(server) = &mut self.server {
                    server.handle_message(now, id, message);
                }
            }
        }
        self.pump();
    }

    /// The server gets HELLO.
    fn greet(&mut self, back: usize, message: Message) {
        let Message::Binary(message) = message else {
            panic!("HELLO is binary");
        };
        let hello = Hello::decode(&message).unwrap();
        let token = hello.resume.as_ref().map(|resume| &resume.token);
        let claims = token.map(|token| self.claims[usize::from(token.as_bytes()[0])]);
        let is_it = |session: &&Session| claims.is_some_and(|it| it.session == session.id());
        let known = self.server.iter().chain(&self.graves);
        let found = { known }.find(is_it);
        let judgement = judge(&hello, claims.as_ref(), &OWNER, &EPOCH, found);
        let id = SessionId([1 + self.sessions as u8; 16]);
        let generation = match (&judgement, &self.server) {
            (Judgement::Resume, Some(server)) => server.next_generation(),
            _ => 1,
        };
        let grant = self.grant(generation, id);
        match judgement {
            Judgement::Resume => {
                let server = self.server.as_mut().unwrap();
                let old = server.resume(self.now, &hello, &claims.unwrap(), grant);
                if let Some(old) = old
                    && let Some(wire) = self.wires.iter_mut().rfind(|it| it.server == Some(old))
                    && !wire.is_cut
                {
                    let close = Outgoing::Close(Close::taken_over());
                    wire.down.push_back(close);
                }
            }
            Judgement::Late => {
                let wire = self.wire(back).unwrap();
                wire.server_knows = true;
                wire.down.push_back(Outgoing::Close(Close::taken_over()));
                return;
            }
            Judgement::Begin(fresh) => {
                self.sessions += 1;
                if let Some(mut old) = self.server.take() {
                    old.give_up(&hello);
                    self.graves.push(old);
                    // Its application takes nothing more.
                    self.waiting.clear();
                    self.taken = 0;
                }
                if self.sessions > 1 {
                    assert_eq!(fresh.verdict, Verdict::Epoch, "{hello:?}");
                    assert!(
                        self.volatile_loss,
                        "given up without need: {:?}",
                        self.trail
                    );
                    self.excused = self.sent_down.len();
                }
                let config = server_config(self.kind);
                let session = Session::accept(self.now, config, &hello, id, fresh, grant);
                self.server = Some(session);
            }
        }
        let id = self.server.as_ref().unwrap().connection();
        self.wire(back).unwrap().server = id;
        // A generation is in the store before anybody hears of it.
        self.write();
    }

    fn grant(&mut self, generation: u64, session: SessionId) -> Grant {
        let session = match (&self.server, generation) {
            (Some(server), 2..) => server.id(),
            _ => session,
        };
        self.claims.push(Claims {
            session,
            generation,
            epoch: EPOCH,
            principal: OWNER,
        });
        let number = u8::try_from(self.claims.len() - 1).unwrap();
        Grant {
            token: Token::new(vec![number].into()).unwrap(),
            protocol: None,
            headers: None,
            volatile: self.is_store_away,
        }
    }

    fn arrive_down(&mut self, back: usize) {
        let now = self.now;
        let Some(wire) = self.wire(back).filter(|wire| !wire.client_knows) else {
            return;
        };
        let Some(outgoing) = wire.down.pop_front() else {
            return;
        };
        let id = wire.client;
        match outgoing {
            Outgoing::Close(close) => {
                wire.client_knows = true;
                let code = Some(close.code.get());
                self.client.handle_disconnect(now, id, code);
            }
            Outgoing::Message(message) => self.client.handle_message(now, id, message),
        }
        self.pump();
    }

    fn client_notices(&mut self, back: usize) {
        let now = self.now;
        if let Some(wire) = self.wire(back).filter(|it| it.is_cut && !it.client_knows) {
            wire.client_knows = true;
            let id = wire.client;
            self.client.handle_disconnect(now, id, None);
        }
    }

    fn server_notices(&mut self, back: usize) {
        let now = self.now;
        if let Some(wire) = self.wire(back).filter(|it| it.is_cut && !it.server_knows) {
            wire.server_knows = true;
            if let (Some(id), Some(server)) = (wire.server, &mut self.server) {
                server.handle_disconnect(now, id, None);
            }
        }
    }

    /// Both ends of whatever the client has break.
    fn break_all(&mut self) {
        for wire in &mut self.wires {
            wire.up.clear();
            wire.down.clear();
            (wire.is_cut, wire.client_knows, wire.server_knows) = (true, true, true);
        }
        if let Some(id) = self.client.connection() {
            self.client.handle_disconnect(self.now, id, None);
        }
    }

    fn move_client(&mut self) {
        self.break_all();
        if let Some(server) = &mut self.server
            && let Some(id) = server.connection()
        {
            server.handle_disconnect(self.now, id, None);
        }
        let snapshot = self.client.export(self.now);
        // Page storage, for example. Nothing else is lost: what a client has is its.
        let snapshot = Snapshot::decode(&snapshot.encode()).unwrap();
        self.client = Session::import(self.now, client_config(self.kind), snapshot).unwrap();
    }

    fn move_server(&mut self) {
        let Some(server) = &self.server else {
            return;
        };
        let snapshot = Snapshot::decode(&server.export(self.now).encode()).unwrap();
        self.break_all();
        let config = server_config(self.kind);
        self.server = Some(Session::import(self.now, config, snapshot).unwrap());
    }

    fn write(&mut self) {
        if self.kind == Kind::Living || self.is_store_away {
            return;
        }
        let Some(server) = &mut self.server else {
            return;
        };
        // First the store, then what may be said because the store has it.
        let mut snapshot = server.export(self.now);
        snapshot.reserved = Some(server.sent() + BLOCK);
        // What nobody has taken is the client's to say again.
        (snapshot.received, snapshot.committed) = (self.taken, self.taken);
        server.reserve(server.sent() + BLOCK);
        server.commit(self.now, self.taken);
        self.store = Some(Snapshot::decode(&snapshot.encode()).unwrap());
    }

    fn take(&mut self, count: usize) {
        for (event, received) in self.waiting.drain(..count.min(self.waiting.len())) {
            take(&mut self.at_server, event);
            self.taken = received;
        }
        if let Some(server) = self.server.as_mut().filter(|it| it.is_volatile()) {
            server.commit(self.now, self.taken);
        }
    }

    fn set_store(&mut self, is_there: bool) {
        self.is_store_away = !is_there;
        self.flaps += 1;
        // What was written is what the store has; only then is the session safe again.
        self.write();
        if let Some(server) = &mut self.server {
            server.set_volatile(!is_there);
        }
        self.take(0);
        self.write();
    }

    fn lose(&mut self) {
        let Some(snapshot) = self.store.clone() else {
            return;
        };
        self.losses += 1;
        self.volatile_loss |=
            self.is_store_away || self.server.as_ref().is_some_and(Session::is_volatile);
        self.break_all();
        self.waiting.clear();
        self.taken = snapshot.committed;
        let config = server_config(self.kind);
        let successor = Session::import(self.now, config, snapshot.into_successor());
        self.server = Some(successor.unwrap());
        self.run(Op::Write);
    }

    /// Everything that the ends want to write and to tell.
    fn pump(&mut self) {
        while let Some(Transmit {
            connection,
            outgoing,
            ..
        }) = self.client.poll_transmit(self.now)
        {
            let wire = self.wires.iter_mut().rfind(|it| it.client == connection);
            let wire = wire.unwrap();
            if !wire.is_cut {
                wire.up.push_back(outgoing);
            }
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Returned { message, fate, .. } => {
                    self.returned.push((payload(&message), fate));
                }
                event => take(&mut self.at_client, event),
            }
        }
        let Some(server) = &mut self.server else {
            return;
        };
        while let Some(Transmit {
            connection,
            outgoing,
            ..
        }) = server.poll_transmit(self.now)
        {
            let mut wires = self.wires.iter_mut().rev();
            // HELLO has just come, or the connection is known.
            let wire = wires.find(|wire| wire.server == Some(connection)).unwrap();
            if !wire.is_cut {
                wire.down.push_back(outgoing);
            }
        }
        while let Some(event) = server.poll_event() {
            match (self.kind, &event) {
                (Kind::Stored(_), Event::Message { key, .. }) => {
                    let received = key.number;
                    self.waiting.push_back((event, received));
                }
                (Kind::Stored(_), Event::Gap { key, count, .. }) => {
                    let received = key.number + count - 1;
                    self.waiting.push_back((event, received));
                }
                _ => take(&mut self.at_server, event),
            }
        }
    }

    /// What is true at any time.
    fn check(&mut self) {
        let again = self.kind == Kind::Stored(InDoubt::Again) && self.losses > 0;
        in_order(&self.at_client.messages, self.checked.0, false);
        let again = again || self.sessions > 1;
        in_order(&self.at_server.messages, self.checked.1, again);
        self.checked = (self.at_client.messages.len(), self.at_server.messages.len());
        let window = client_config(self.kind).window;
        for end in [Some(&self.client), self.server.as_ref()]
            .into_iter()
            .flatten()
        {
            let (messages, bytes) = end.kept();
            assert!(
                messages as u64 <= 2 * window.messages + 2 + self.flaps,
                "{messages}"
            );
            assert!(bytes <= window.bytes + 20, "{bytes}");
        }
    }
}

/// In order, and each once. With `again`, those that come again have the name they had.
fn in_order(got: &[(Key, u64)], checked: usize, again: bool) {
    for pair in got[checked.saturating_sub(1)..].windows(2) {
        let is_next = pair[0].1 < pair[1].1;
        assert!(is_next || again, "out of order or doubled: {got:?}");
    }
    for (at, (key, payload)) in got.iter().enumerate().skip(checked) {
        let same = got[..at].iter().filter(|it| it.1 == *payload);
        for before in same {
            let is_same = before.0 == *key || before.0.session != key.session;
            assert!(is_same, "another name");
        }
    }
}

fn take(got: &mut Got, event: Event) {
    match event {
        Event::Message { key, message } => got.messages.push((key, payload(&message))),
        Event::Gap { count, reason, .. } => got.gaps.push((count, reason)),
        Event::Ended(ended) => panic!("the session is over: {ended:?}"),
        Event::Returned { .. } => panic!("the server returns nothing"),
        _ => {}
    }
}

fn payload(message: &Message) -> u64 {
    let (Message::Text(bytes) | Message::Binary(bytes)) = message;
    std::str::from_utf8(bytes).unwrap().parse().unwrap()
}

fn client_config(kind: Kind) -> Config {
    let mut config = Config::default();
    config.window.messages = 6;
    config.ttl = Duration::from_secs(1 << 30);
    config.heartbeat = Duration::ZERO;
    if let Kind::Stored(in_doubt) = kind {
        config.in_doubt = in_doubt;
    }
    config
}

fn server_config(kind: Kind) -> Config {
    let mut config = client_config(kind);
    config.overflow = revoir_session::Overflow::Wait;
    if kind != Kind::Living {
        config.acks = Acks::OnCommit;
    }
    config
}
