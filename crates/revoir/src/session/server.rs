//! [`Server`]: sessions behind the opening handshake.

use std::fmt;
use std::future::{Future, ready};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use http::{Response, StatusCode};
use revoir_codes::{SendCode, Slot};
use revoir_proto::Message;
use revoir_session as protocol;
use revoir_session::{
    Claims, Close, Config, ConnectionId, Fresh, Grant, Hello, Judgement, Keys, Loss, OPENING_LIMIT,
    Overflow, Principal, SUBPROTOCOL, SessionId, Token, Verdict, Violation, Window, judge,
};
use tokio::time::{Instant, timeout};

use crate::driver::Failure;
use crate::entropy::Entropy;
use crate::server::Incoming;
use crate::session::attached::Attached;
use crate::session::end::{End, Keeper, config};
use crate::session::event::Event;
use crate::session::failures::Failures;
use crate::session::handle::Session;
use crate::session::opening::{Accepted, Opening};
use crate::session::running::Running;
use crate::session::store::{Counts, Store};
use crate::session::talk::{leave, talk};
use crate::websocket::WebSocket;

/// Sessions unless told otherwise.
const SESSIONS: usize = 100_000;

/// Bytes that all of them keep together, unless told otherwise.
const KEPT_BYTES: u64 = 256 * 1024 * 1024;

/// So long a client that takes nothing of a goodbye is waited for at least.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(5);

/// When to come back to a server that is full: as advised after 1013.
const FULL_AFTER: Duration = Duration::from_secs(5);
const FULL_SPREAD: Duration = Duration::from_secs(15);

/// The sessions of a server, in its memory. Clones are cheap, and share them.
///
/// It stands behind whatever decides on requests: [`run`](Self::run) takes an [`Incoming`] as
/// [`Incoming::run`] does. Every connection of a session passes through that, its origin, limits and authentication
/// among it; the handler runs once for each session.
///
/// When the last clone is gone, and no connection is left, all sessions are over.
#[derive(Clone)]
#[must_use = "nothing happens before `run`"]
pub struct Server {
    settings: Arc<ServerSettings>,
    store: Arc<Store>,
    failures: Arc<Mutex<Failures>>,
}

#[derive(Clone)]
struct ServerSettings {
    principal: Arc<dyn Fn(&Incoming) -> Principal + Send + Sync>,
    config: Config,
    keys: Keys,
    subprotocols: Vec<String>,
    max_sessions: usize,
}

/// What becomes of a connection.
enum Answer {
    Resumes { end: Arc<End>, id: ConnectionId },
    Begins(Box<Hello>, Fresh),
}

impl ServerSettings {
    /// The application's subprotocol.
    fn choose(&self, offered: Option<&str>) -> Option<String> {
        let offered: Vec<&str> = offered?.split(',').map(str::trim).collect();
        let mut chosen = self.subprotocols.iter();
        chosen.find(|it| offered.contains(&it.as_str())).cloned()
    }
}

impl Server {
    /// Sessions that belong to whoever `principal` says that a client is: it is asked at every connection, and a token is
    /// good for the same one only. [`Principal::of`] makes one of a name; with
    /// [`Principal::NONE`], whoever has a token has the session.
    ///
    /// Tokens are sealed with a key that is random for each process, unless there are [keys](Self::with_keys).
    pub fn new(principal: impl Fn(&Incoming) -> Principal + Send + Sync + 'static) -> Self {
        let mut config = config(Config::default());
        config.overflow = Overflow::Wait;
        Self {
            settings: Arc::new(ServerSettings {
                principal: Arc::new(principal),
                config,
                keys: Keys::new(Entropy::bytes()),
                subprotocols: Vec::new(),
                max_sessions: SESSIONS,
            }),
            store: Arc::new(Store::new(KEPT_BYTES)),
            failures: Arc::default(),
        }
    }

    /// Seals tokens with these keys, as [`read_keys`](crate::session::read_keys) gives them. A client that comes to the next
    /// process is then told that its session is gone, and not that its token is forged.
    pub fn with_keys(mut self, keys: Keys) -> Self {
        self.edit().keys = keys;
        self
    }

    /// For how long a session outlives its connection at most. Default: 120 s.
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.edit().config.ttl = ttl;
        self
    }

    /// What is kept at most of messages that a client has not acknowledged. Default: 1,024 messages and 256 KiB.
    pub fn with_window(mut self, window: Window) -> Self {
        self.edit().config.window = window;
        self
    }

    /// What becomes of a message for a client that is away, if its window is full. Default:
    /// [`Overflow::Wait`].
    pub fn with_overflow(mut self, overflow: Overflow) -> Self {
        self.edit().config.overflow = overflow;
        self
    }

    /// Something is sent at least this often, and a client from which nothing comes for 10 s longer is given up. Zero: neither.
    /// Default: 25 s.
    pub fn with_heartbeat(mut self, heartbeat: Duration) -> Self {
        self.edit().config.heartbeat = heartbeat;
        self
    }

    /// Chooses this subprotocol of the application, inside of the session, if a client offers it. The first that was
    /// added comes first.
    pub fn with_subprotocol(mut self, name: &str) -> Self {
        self.edit().subprotocols.push(name.to_owned());
        self
    }

    /// So many sessions at most, those whose clients are away among them; who wants another one is told 1013 and to come back
    /// in 5 to 20 s. Default: 100,000.
    pub fn with_max_sessions(mut self, most: usize) -> Self {
        self.edit().max_sessions = most;
        self
    }

    /// So many bytes are kept at most, by all sessions together: what clients have not acknowledged, and what handlers have
    /// not taken. Where that is not enough, sessions end (`fresh:overflow`), those of clients that are away and would expire
    /// first; if there are none, the one that asks for more. New ones are told 1013. Default: 256 MiB.
    pub fn with_max_kept_bytes(self, most: u64) -> Self {
        self.store.set_most_kept(most);
        self
    }

    /// Tells `meter` by how much has changed what all sessions keep, in bytes, whenever it has: for a program that bounds more
    /// than its sessions. It must not wait. The first one stays.
    pub fn with_meter(self, meter: impl Fn(i64) + Send + Sync + 'static) -> Self {
        let _ = self.store.meter.set(Box::new(meter));
        self
    }

    fn edit(&mut self) -> &mut ServerSettings {
        Arc::make_mut(&mut self.settings)
    }

    /// How many sessions there are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.store.counts()
    }

    /// Whether the client of a session that goes on is away: [`counts`](Self::counts) without counting.
    #[must_use]
    pub fn has_detached(&self) -> bool {
        self.store.has_detached()
    }

    /// Whether a client offers sessions. One that does not can be served with [`Incoming::run`].
    #[must_use]
    pub fn is_offered(incoming: &Incoming) -> bool {
        incoming.subprotocols().iter().any(|it| it == SUBPROTOCOL)
    }

    /// Opens the connection once the returned answer is written, and resumes its session, or begins one and runs `handler` on
    /// it in a task of its own. A client that does not offer `revoir.v1` is refused with 400. Extensions are declined.
    ///
    /// A handler that returns an error or panics ends its session with 1011; one that returns `Ok` without having closed
    /// ends it with 1001, once nobody else has a handle of it.
    ///
    /// # Panics
    ///
    /// As for [`Incoming::run`].
    #[must_use = "the connection opens when this answer is written"]
    pub fn run<H, F, E>(&self, incoming: Incoming, handler: H) -> Response<String>
    where
        H: FnOnce(Session) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let principal = (self.settings.principal)(&incoming);
        let settings = Arc::clone(&self.settings);
        self.run_as(incoming, principal, move |opening: Opening| {
            let protocol = settings.choose(opening.protocols.as_deref());
            ready(Ok(Accepted::new(handler).with_protocol(protocol)))
        })
    }

    /// [`run`](Self::run), for a server that knows who the client is, and has something to ask before a session begins: its
    /// backend, for example. While `open` is asked, the client waits for WELCOME, 10 s at most; if it leaves, the
    /// future is dropped. A session that is resumed asks nobody.
    ///
    /// # Panics
    ///
    /// As for [`Incoming::run`].
    #[must_use = "the connection opens when this answer is written"]
    pub fn run_as<O, A, H, F, E>(
        &self,
        mut incoming: Incoming,
        principal: Principal,
        open: O,
    ) -> Response<String>
    where
        O: FnOnce(Opening) -> A + Send + 'static,
        A: Future<Output = Result<Accepted<H>, Close>> + Send + 'static,
        H: FnOnce(Session) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        if incoming.choose_subprotocol(Some(SUBPROTOCOL)).is_err() {
            let told = "this address speaks the subprotocol revoir.v1\n";
            return incoming.refuse(StatusCode::BAD_REQUEST, told);
        }
        // A message with a token in it is not compressed, and browsers cannot choose.
        incoming.decline_extensions();
        let address = incoming.peer_addr().map(|address| address.ip());
        let server = self.clone();
        incoming.run(move |socket| async move {
            server.attend(socket, principal, address, open).await;
            Ok::<(), Failure>(())
        })
    }

    async fn attend<O, A, H, F, E>(
        self,
        mut socket: WebSocket,
        principal: Principal,
        address: Option<IpAddr>,
        open: O,
    ) where
        O: FnOnce(Opening) -> A + Send + 'static,
        A: Future<Output = Result<Accepted<H>, Close>> + Send + 'static,
        H: FnOnce(Session) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let first = match timeout(OPENING_LIMIT, socket.recv()).await {
            Ok(Ok(first)) => first,
            Ok(Err(_)) => return,
            Err(_) => return drop(leave(&socket, &Close::timeout("no HELLO in time")).await),
        };
        let answer = match self.answer(first, &principal, address) {
            Ok(Answer::Resumes { end, id }) => {
                // Nobody is asked: what was kept for that is free.
                drop(open);
                Ok((end, id))
            }
            Ok(Answer::Begins(hello, fresh)) => {
                let opening = Opening::new(&hello, fresh.verdict);
                let opened = tokio::select! {
                    biased;
                    _ = socket.closed() => return,
                    opened = open(opening) => opened,
                };
                opened.and_then(|accepted| self.begin(&hello, fresh, &principal, accepted))
            }
            Err(close) => {
                drop(open);
                Err(close)
            }
        };
        match answer {
            Ok((end, id)) => self.converse(&end, socket, id).await,
            Err(close) => drop(leave(&socket, &close).await),
        }
    }

    /// Has the session talk over a connection to its ending.
    async fn converse(&self, end: &End, socket: WebSocket, id: ConnectionId) {
        let presence = Presence {
            end,
            store: &self.store,
            id,
        };
        let patience = end.look(protocol::Session::ttl).max(SHORTEST_PATIENCE);
        let mut talking = pin!(talk(end, socket, id));
        tokio::select! {
            biased;
            _ = &mut talking => {}
            () = end.left_alone(patience) => {
                // Its client has not answered to our goodbye: it is as good as away.
                end.lose(Loss::Expired);
                talking.await;
            }
        }
        drop(presence);
    }

    /// Finds the session of a connection that has said HELLO.
    fn answer(
        &self,
        first: Message,
        principal: &Principal,
        address: Option<IpAddr>,
    ) -> Result<Answer, Close> {
        let hello = match first {
            Message::Binary(first) => Hello::decode(&first),
            Message::Text(_) => Err(Violation::OutOfOrder),
        };
        let hello = hello.map_err(Close::violation)?;
        let token = hello.resume.as_ref().map(|resume| &resume.token);
        if token.is_some_and(|token| self.is_limited(address, token)) {
            return Err(Close {
                code: SendCode::POLICY_VIOLATION,
                reason: "too many failed resumes".to_owned(),
            });
        }
        let claims = token.and_then(|token| self.settings.keys.open(token));
        let found = claims.and_then(|claims| self.store.find(claims.session));
        let asked = (&hello, claims.as_ref(), principal, &self.store.epoch);
        let judged = match &found {
            Some(end) => self.resume(end, asked),
            None => Err(judge(asked.0, asked.1, asked.2, asked.3, None)),
        };
        match (judged, found, claims) {
            (Ok(id), Some(end), Some(claims)) => {
                self.store.note(claims.session);
                Ok(Answer::Resumes { end, id })
            }
            (Err(Judgement::Begin(fresh)), found, claims) => {
                if let (true, Some(token)) = (fresh.is_failure, token) {
                    self.count_failure(address, token);
                }
                if let (Some(end), Some(claims), false) = (found, claims, fresh.is_failure) {
                    end.stir(|session, _| session.give_up(&hello));
                    self.store.note(claims.session);
                }
                Ok(Answer::Begins(Box::new(hello), fresh))
            }
            _ => Err(Close::taken_over()),
        }
    }

    /// Resumes, if the session can be.
    fn resume(
        &self,
        end: &End,
        (hello, claims, principal, epoch): (&Hello, Option<&Claims>, &Principal, &protocol::Epoch),
    ) -> Result<ConnectionId, Judgement> {
        let resumed = end.change(|session, now| {
            let judgement = judge(hello, claims, principal, epoch, Some(session));
            let (Judgement::Resume, Some(claims)) = (judgement, claims) else {
                return Err(judgement);
            };
            let grant = self.grant(session.id(), session.next_generation(), principal);
            session.resume(now, hello, claims, grant);
            Ok(ConnectionId(session.generation()))
        });
        if resumed.is_ok() {
            end.tell(Event::Attached(Box::new(attached(
                end,
                Verdict::Resumed,
                hello,
                None,
            ))));
            // The connection before, if there was one, is told.
            end.for_connection().notify_waiters();
        }
        resumed
    }

    /// Begins a session, whose handler runs from here on.
    fn begin<H, F, E>(
        &self,
        hello: &Hello,
        fresh: Fresh,
        principal: &Principal,
        accepted: Accepted<H>,
    ) -> Result<(Arc<End>, ConnectionId), Close>
    where
        H: FnOnce(Session) -> F + Send + 'static,
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let Accepted {
            handler,
            protocol,
            headers,
        } = accepted;
        let session = SessionId(Entropy::bytes());
        let grant = Grant {
            protocol: protocol.clone(),
            headers,
            ..self.grant(session, 1, principal)
        };
        let config = self.settings.config.clone();
        let accepted =
            protocol::Session::accept(Duration::ZERO, config, hello, session, fresh, grant);
        let keeper: Weak<dyn Keeper> = Arc::downgrade(&self.store) as Weak<dyn Keeper>;
        let end = Arc::new(End::new(Instant::now(), accepted, Some(keeper)));
        if !self.store.add(session, &end, self.settings.max_sessions) {
            let slot = Slot::new(FULL_AFTER).with_spread(FULL_SPREAD);
            return Err(Close {
                code: SendCode::TRY_AGAIN_LATER,
                reason: slot.write("too many sessions").to_string(),
            });
        }
        end.tell(Event::Attached(Box::new(attached(
            &end,
            fresh.verdict,
            hello,
            protocol,
        ))));
        let running = Running::begin(&end);
        let handle = Session::new(Arc::clone(&end));
        // Its panics are its own, and the connection's are not.
        tokio::spawn(async move { running.run(handler(handle)).await });
        Ok((end, ConnectionId(1)))
    }

    fn grant(&self, session: SessionId, generation: u64, principal: &Principal) -> Grant {
        let claims = Claims {
            session,
            generation,
            epoch: self.store.epoch,
            principal: *principal,
        };
        Grant {
            token: self.settings.keys.seal(&claims, Entropy::bytes()),
            protocol: None,
            headers: None,
            volatile: false,
        }
    }

    fn is_limited(&self, address: Option<IpAddr>, token: &Token) -> bool {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.is_over(address, token, Instant::now())
    }

    fn count_failure(&self, address: Option<IpAddr>, token: &Token) {
        let failures = self.failures.lock();
        let mut failures = failures.unwrap_or_else(PoisonError::into_inner);
        failures.count(address, token, Instant::now());
    }
}

fn attached(end: &End, verdict: Verdict, hello: &Hello, protocol: Option<String>) -> Attached {
    end.look(|session| Attached {
        verdict,
        session: session.id(),
        generation: session.generation(),
        received: None,
        lost: None,
        bound: false,
        ttl: session.ttl(),
        protocol,
        headers: hello.headers.clone(),
    })
}

/// A connection that a session has. Whatever becomes of it, the session and its keeper learn that it is gone.
struct Presence<'a> {
    end: &'a End,
    store: &'a Arc<Store>,
    id: ConnectionId,
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.end.leave(self.id);
        self.store.note(self.end.look(protocol::Session::id));
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        f.debug_struct("Server")
            .field("counts", &counts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_whose_task_is_dropped_leaves_its_session_to_expire() {
        let server = Server::new(|_| Principal::NONE);
        let hello = Hello {
            resume: None,
            window: Window::DEFAULT,
            ttl: None,
            protocols: None,
            headers: None,
        };
        let judged = judge(&hello, None, &Principal::NONE, &server.store.epoch, None);
        let Judgement::Begin(fresh) = judged else {
            panic!("it has no token: {judged:?}");
        };
        let accepted = Accepted::new(|session: Session| async move {
            let _held = session;
            std::future::pending::<Result<(), Failure>>().await
        });
        let begun = server.begin(&hello, fresh, &Principal::NONE, accepted);
        let (end, id) = begun.unwrap();
        let attached = |counts: Counts| (counts.attached, counts.detached);
        assert_eq!(attached(server.counts()), (1, 0));
        drop(Presence {
            end: &end,
            store: &server.store,
            id,
        });
        assert_eq!(attached(server.counts()), (0, 1));
        let ended = end.until(End::over);
        let ended = timeout(Duration::from_secs(121), ended).await.unwrap();
        assert!(ended.to_string().contains("expired"), "{ended}");
    }
}
