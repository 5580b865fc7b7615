//! [`LabBackend`]: the service behind the gateway that the first page talks to. It answers every message,
//! and it can be restarted.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use revoir::drain::{Drain, Tracker};
use revoir::http::{HeaderName, HeaderValue, Response};
use revoir::{Acceptor, Config, Ending, Incoming, Server, WebSocket};
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::token::Token;

/// How long it is away when it restarts, and the pause before it tries to listen again.
const AWAY: Duration = Duration::from_millis(1_500);
const PAUSE: Duration = Duration::from_millis(100);
/// The header field in which a backend tells a gateway whether its clients may be held.
const HOLD: HeaderName = HeaderName::from_static("revoir-hold");
/// Pages at once.
const PAGES: usize = 512;
/// A message is a number.
const MESSAGE_LIMIT: usize = 32;

/// A service on a loopback port of its own.
#[derive(Debug)]
pub(super) struct LabBackend {
    address: SocketAddr,
    /// How often it has started.
    generation: AtomicU32,
    restarting: AtomicBool,
    tracker: Mutex<Tracker>,
    pages: Mutex<HashMap<Token, PageConnection>>,
}

/// The connection of a page, while the backend has it.
#[derive(Debug)]
struct PageConnection {
    /// The gateway's name for it.
    name: String,
    /// It is answered no more.
    is_silent: Arc<AtomicBool>,
}

impl LabBackend {
    /// Starts on a free port. To be called in a runtime.
    pub(super) async fn start() -> io::Result<Arc<Self>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let backend = Arc::new(Self {
            address: listener.local_addr()?,
            generation: AtomicU32::new(0),
            restarting: AtomicBool::new(false),
            tracker: Mutex::new(acceptor().tracker().clone()),
            pages: Mutex::default(),
        });
        tokio::spawn(Arc::clone(&backend).run(listener));
        Ok(backend)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection with 1012, is away for a moment, and starts again. Returns whether
    /// that is so: not while it happens already.
    pub(super) fn restart(&self) -> bool {
        if self.restarting.swap(true, Ordering::AcqRel) {
            return false;
        }
        let tracker = self.tracker.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = Drain::restart()
            .ready_in(AWAY)
            .closing_over(Duration::from_millis(100))
            .within(Duration::from_secs(3));
        // It goes on by itself.
        drop(tracker.drain(plan));
        true
    }

    /// The gateway's name for a page's connection, while the backend has it.
    pub(super) fn name(&self, token: Token) -> Option<String> {
        self.pages().get(&token).map(|page| page.name.clone())
    }

    /// Answers a page's connection no more, as if its cable were pulled. Returns whether the backend has it.
    pub(super) fn fall_silent(&self, token: Token) -> bool {
        let pages = self.pages();
        let page = pages.get(&token);
        page.inspect(|page| page.is_silent.store(true, Ordering::Relaxed))
            .is_some()
    }

    /// One start after the other.
    async fn run(self: Arc<Self>, mut listener: TcpListener) {
        loop {
            let acceptor = acceptor();
            let tracker = acceptor.tracker().clone();
            *self.tracker.lock().unwrap_or_else(PoisonError::into_inner) = tracker;
            self.generation.fetch_add(1, Ordering::Relaxed);
            self.restarting.store(false, Ordering::Release);
            let own = Arc::clone(&self);
            let server = Server::from_listener(listener).with_acceptor(acceptor);
            server
                .serve_incoming(move |incoming| Arc::clone(&own).welcome(incoming))
                .await;
            sleep(AWAY).await;
            listener = loop {
                match TcpListener::bind(self.address).await {
                    Ok(listener) => break listener,
                    // Somebody else may have the port for a moment.
                    Err(_) => sleep(PAUSE).await,
                }
            };
        }
    }

    async fn welcome(self: Arc<Self>, mut incoming: Incoming) -> Response<String> {
        // A page keeps its connection to the gateway through a restart.
        let fields = incoming.response_headers_mut();
        fields.insert(HOLD, HeaderValue::from_static("yes"));
        let header = |name| {
            incoming
                .headers()
                .get(name)?
                .to_str()
                .ok()
                .map(str::to_owned)
        };
        let (name, resumed) = (header("revoir-conn"), header("revoir-resume").is_some());
        let token = incoming
            .query()
            .and_then(|query| query.strip_prefix("token="));
        let token = token.and_then(Token::parse);
        incoming.run(move |socket| async move {
            let is_silent = Arc::new(AtomicBool::new(false));
            if let (Some(token), Some(name)) = (token, name) {
                let is_silent = Arc::clone(&is_silent);
                self.pages()
                    .insert(token, PageConnection { name, is_silent });
            }
            let generation = self.generation.load(Ordering::Relaxed);
            let ended = answer(socket, generation, resumed, &is_silent).await;
            if let Some(token) = token {
                self.pages().remove(&token);
            }
            ended
        })
    }

    fn pages(&self) -> MutexGuard<'_, HashMap<Token, PageConnection>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn acceptor() -> Acceptor {
    let mut config = Config::server();
    config.limits.message = MESSAGE_LIMIT;
    Acceptor::new()
        .with_config(config)
        .with_max_connections(PAGES)
}

/// Says which start this is, then sends every message back, unless it is silent.
async fn answer(
    mut socket: WebSocket,
    generation: u32,
    resumed: bool,
    is_silent: &AtomicBool,
) -> Result<(), Arc<Ending>> {
    let word = if resumed { "resumed" } else { "backend" };
    socket.send_text(format!("{word} {generation}")).await?;
    loop {
        let message = socket.recv().await?;
        if !is_silent.load(Ordering::Relaxed) {
            socket.send(message).await?;
        }
    }
}
