//! [`Server`]: sessions behind the opening handshake.

use std::fmt;
use std::future::{Future, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Response, StatusCode};
use revoir_codes::{SendCode, Slot};
use revoir_session::{
    Close, Config, GoAway, Keys, Origin, Overflow, Principal, SUBPROTOCOL, Window,
};
use revoir_store::{Durable, Store};
use tokio::runtime::Handle;

use crate::driver::Failure;
use crate::entropy::Entropy;
use crate::server::Incoming;
use crate::session::end::{End, config};
use crate::session::failures::Failures;
use crate::session::handle::Session;
use crate::session::ledger::Ledger;
use crate::session::opening::{Accepted, Opening};
use crate::session::sessions::{Counts, Sessions};
use crate::session::writing;

/// Sessions unless told otherwise.
const SESSIONS: usize = 100_000;

/// Bytes that all of them keep together, unless told otherwise.
const KEPT_BYTES: u64 = 256 * 1024 * 1024;

/// Clients of a server that ends come to the others within this time.
const HAND_OVER_SPREAD: Duration = Duration::from_secs(1);

/// The sessions of a server, in its memory, and in a [store](Self::with_store) if there is one. Clones are cheap, and share
/// them.
///
/// It stands behind whatever decides on requests: [`run`](Self::run) takes an [`Incoming`] as
/// [`Incoming::run`] does. Every connection of a session passes through that, its origin, limits and authentication
/// among it; the handler runs once for each session.
///
/// When the last clone is gone, and no connection is left, all sessions are over, or left to the next server of the store.
#[derive(Clone)]
#[must_use = "nothing happens before `run`"]
pub struct Server {
    pub(super) settings: Arc<ServerSettings>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) failures: Arc<Mutex<Failures>>,
}

#[derive(Clone)]
pub(super) struct ServerSettings {
    principal: Arc<dyn Fn(&Incoming) -> Principal + Send + Sync>,
    pub(super) config: Config,
    pub(super) durable: Durable,
    pub(super) keys: Keys,
    subprotocols: Vec<String>,
    pub(super) max_sessions: usize,
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
                durable: Durable::default(),
                keys: Keys::new(Entropy::bytes()),
                subprotocols: Vec::new(),
                max_sessions: SESSIONS,
            }),
            sessions: Arc::new(Sessions::new(KEPT_BYTES)),
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
        self.sessions.set_most_kept(most);
        self
    }

    /// Tells `meter` by how much has changed what all sessions keep, in bytes, whenever it has: for a program that bounds more
    /// than its sessions. It must not wait. The first one stays.
    pub fn with_meter(self, meter: impl Fn(i64) + Send + Sync + 'static) -> Self {
        let _ = self.sessions.meter.set(Box::new(meter));
        self
    }

    /// Keeps sessions in `store` as well, so that they outlive this process: the next one, or another one that has the same
    /// store and the same [keys](Self::with_keys), goes on with them. `durable` says what waits for the store beside
    /// acknowledgements, which always do. The first one stays.
    ///
    /// What has changed is written once for each 10 ms, all sessions together. A successor runs the handler anew, and the first
    /// [`Event::Attached`](crate::session::Event::Attached) that it sees says `resumed`.
    ///
    /// While the store is away nobody is disconnected: clients are told that their sessions are
    /// [volatile](crate::session::Event::Volatile), acknowledgements come from memory, messages wait for nothing, and it is tried again each
    /// 200 ms. A client that comes for a session that is not here is then told 1013 and to come again within a second.
    pub fn with_store(self, store: Arc<dyn Store>, durable: Durable) -> Self {
        let _ = self.sessions.ledger.set(Arc::new(Ledger::new(store)));
        // From now on it is known whether the store answers; without a runtime, from the first session on.
        if Handle::try_current().is_ok() {
            writing::begin(&self.sessions);
        }
        self.with_durable(durable)
    }

    /// What waits for the store in sessions that begin, or arrive here, by this clone of the server.
    pub fn with_durable(mut self, durable: Durable) -> Self {
        self.edit().durable = durable;
        self
    }

    /// Leaves all sessions to whichever server of the same store their clients come to next: for a process that ends, once it
    /// takes no connections any more. Clients that are there are told to come again (GOAWAY, resumable, and 1012); their
    /// handlers learn that it [goes on elsewhere](crate::session::SessionEnding::Elsewhere). Takes at most 5 s; says how many sessions could not be
    /// written. Without a store that are all that are not over.
    ///
    /// # Cancel safety
    ///
    /// They leave even if the future is dropped, as long as the server is there.
    pub async fn hand_over(&self) -> usize {
        // One that is closing stays: the store has it with its goodbye, which whoever goes on with it says.
        let goes_on = |end: &Arc<End>| end.over().is_none() && !end.is_closing();
        let stays = |end: &Arc<End>| goes_on(end) && end.is_kept();
        for end in self.sessions.all().iter().filter(|end| stays(end)) {
            let goaway = GoAway {
                origin: Origin::Gateway,
                code: SendCode::SERVICE_RESTART,
                resumable: true,
                after: Duration::ZERO,
                spread: HAND_OVER_SPREAD,
                reason: String::new(),
            };
            let slot = Slot::new(Duration::ZERO).with_spread(HAND_OVER_SPREAD);
            let close = Close {
                code: SendCode::SERVICE_RESTART,
                reason: slot.write("").to_string(),
            };
            end.leave_to_next(Some(goaway), close);
        }
        if let Some(ledger) = self.sessions.ledger.get() {
            let has_left = || ledger.is_settled() && !self.sessions.all().iter().any(goes_on);
            ledger.until(has_left).await;
        }
        self.sessions
            .all()
            .iter()
            .filter(|end| goes_on(end))
            .count()
    }

    /// Whether the store has not answered when it was written to last.
    #[must_use]
    pub fn is_store_away(&self) -> bool {
        self.store_answers() == Some(false)
    }

    /// Whether the [store](Self::with_store) has answered when it was written to last. `None`: there is none.
    #[must_use]
    pub fn store_answers(&self) -> Option<bool> {
        let ledger = self.sessions.ledger.get();
        ledger.map(|ledger| !ledger.is_away())
    }

    fn edit(&mut self) -> &mut ServerSettings {
        Arc::make_mut(&mut self.settings)
    }

    /// How many sessions there are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.sessions.counts()
    }

    /// Whether the client of a session that goes on is away: [`counts`](Self::counts) without counting.
    #[must_use]
    pub fn has_detached(&self) -> bool {
        self.sessions.has_detached()
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
    /// future is dropped. A session that is resumed asks nobody, unless it comes from the [store](Self::with_store) and its
    /// server was lost: [`Opening::verdict`] is `resumed` then, and the handler goes on with it, or says
    /// [why it cannot](Accepted::with_loss).
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
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        f.debug_struct("Server")
            .field("counts", &counts)
            .finish_non_exhaustive()
    }
}
