//! Raw peers, and a gateway between them.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use revoir::server::Origins;
use revoir::session::Store;
use revoir::tls::ServerTls;
use revoir_proto::Role;
use revoir_proto::frame::{FrameHeader, Mask, Opcode};
use revoir_proto::handshake::accept;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::front::{Destination, RouteSettings, Settings};
use crate::gateway::Gateway;
use crate::relay::{Ended, HoldCause, RedialFailure, Side, whole_frame};
use crate::rules::{Mode, Rules};
use crate::tests::ports::listen_async;
use crate::upstream::{PoolSettings, Target};
use crate::watch::{AuthFailure, Exchange, Handle, Limit, Observer};

/// No test waits longer for anything.
const LONGEST: Duration = Duration::from_secs(60);

pub(super) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Waits for what has to happen.
pub(super) async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(LONGEST, what).await.expect("it never happened")
}

/// Has `time` go by at once for everything in this test. Before and afterwards time is real, so that no step
/// has to be quick.
pub(super) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Counts what happens, and can be waited for.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) held: AtomicUsize,
    pub(super) returned: AtomicUsize,
    pub(super) failed: AtomicUsize,
    pub(super) ended: Mutex<Vec<String>>,
    /// The statuses of answers.
    pub(super) answered: Mutex<Vec<u16>>,
    /// Who asked for them.
    pub(super) asked: Mutex<Vec<String>>,
    limited: Mutex<Vec<Limit>>,
    pub(super) auth_failed: Mutex<Vec<AuthFailure>>,
    changed: Notify,
}

impl Counts {
    /// Waits until `number` is at least `least`.
    pub(super) async fn at_least(&self, number: impl Fn(&Self) -> usize, least: usize) {
        soon(async {
            loop {
                let changed = self.changed.notified();
                if number(self) >= least {
                    return;
                }
                changed.await;
            }
        })
        .await;
    }

    pub(super) async fn held(&self, least: usize) {
        self.at_least(|counts| counts.held.load(Ordering::SeqCst), least)
            .await;
    }

    /// How often somebody asked for too much of this.
    pub(super) fn limited(&self, limit: Limit) -> usize {
        let limited = self.limited.lock().unwrap();
        limited.iter().filter(|one| **one == limit).count()
    }

    fn count(&self, number: &AtomicUsize) {
        number.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
    }
}

impl Observer for Counts {
    fn ended(&self, ended: &Ended, _: &Handle) {
        let side = match ended.side {
            Side::Client => "client",
            Side::Backend => "backend",
        };
        let text = format!("{side}: {}", ended.ending);
        self.ended.lock().unwrap().push(text);
        self.changed.notify_waiters();
    }

    fn held(&self, _: HoldCause, _: &Handle) {
        self.count(&self.held);
    }

    fn redial_failed(&self, _: &RedialFailure, _: &Handle) {
        self.count(&self.failed);
    }

    fn returned(&self, _: Duration, _: &Handle) {
        self.count(&self.returned);
    }

    fn answered(&self, exchange: Exchange) {
        let peer = exchange.request.peer.to_string();
        self.asked.lock().unwrap().push(peer);
        self.answered.lock().unwrap().push(exchange.status);
        self.changed.notify_waiters();
    }

    fn limited(&self, limit: Limit) {
        self.limited.lock().unwrap().push(limit);
        self.changed.notify_waiters();
    }

    fn auth_failed(&self, route: &Arc<str>, why: AuthFailure) {
        assert_eq!(&**route, "/");
        self.auth_failed.lock().unwrap().push(why);
    }
}

pub(super) struct Between {
    pub(super) gateway: Arc<Gateway>,
    pub(super) counts: Arc<Counts>,
    pub(super) address: SocketAddr,
}

/// What a gateway with one route is told.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) settings: Settings,
    pub(super) rules: Rules,
    pub(super) redial_rate: u32,
    pub(super) origins: Origins,
}

/// The defaults, in `mode`.
pub(super) fn settings(mode: Mode) -> Setup {
    Setup {
        settings: Settings::default(),
        rules: Rules {
            mode,
            ..Rules::default()
        },
        redial_rate: 1000,
        origins: Origins::Any,
    }
}

impl Between {
    /// Waits until the gateway has found out that its backend is away.
    pub(super) async fn away(&self) {
        soon(async {
            let is_away = || {
                let upstream = &self.gateway.overview().upstreams[0];
                !upstream.accepts && !upstream.silent
            };
            while !is_away() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// Waits until no more than `most` connections are open.
    pub(super) async fn left(&self, most: usize) {
        soon(async {
            while self.gateway.connections() > most {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// The pool of a route whose clients are held.
pub(super) fn held_at(target: Target) -> PoolSettings {
    let rules = settings(Mode::Hold).rules;
    PoolSettings {
        rules: Arc::new(rules),
        ..PoolSettings::new(target)
    }
}

/// A gateway in front of `backend`.
pub(super) async fn gateway(backend: SocketAddr, setup: Setup) -> Between {
    routed(vec![route(backend, &setup)], setup.settings).await
}

pub(super) fn target(backend: SocketAddr) -> Target {
    Target::parse(&format!("ws://{backend}")).unwrap()
}

/// A route for everything to `backend`.
pub(super) fn route(backend: SocketAddr, setup: &Setup) -> RouteSettings {
    let pool = PoolSettings {
        rules: Arc::new(setup.rules.clone()),
        redial_rate: setup.redial_rate,
        origins: setup.origins.clone(),
        ..PoolSettings::new(target(backend))
    };
    RouteSettings::new("/", Destination::Upstreams(pool))
}

/// A gateway with these routes.
pub(super) async fn routed(routes: Vec<RouteSettings>, settings: Settings) -> Between {
    secured(routes, settings, None).await
}

/// A gateway with these routes, that speaks TLS if it can.
pub(super) async fn secured(
    routes: Vec<RouteSettings>,
    settings: Settings,
    tls: Option<ServerTls>,
) -> Between {
    served(routes, settings, tls, None).await
}

/// A gateway with these routes, whose sessions are in `store`.
pub(super) async fn stored(
    routes: Vec<RouteSettings>,
    settings: Settings,
    store: Arc<dyn Store>,
) -> Between {
    served(routes, settings, None, Some(store)).await
}

async fn served(
    routes: Vec<RouteSettings>,
    settings: Settings,
    tls: Option<ServerTls>,
    store: Option<Arc<dyn Store>>,
) -> Between {
    let listener = listen_async();
    let address = listener.local_addr().unwrap();
    let counts = Arc::new(Counts::default());
    let gateway = Gateway::with_store(routes, settings, counts.clone(), store);
    let serving = Arc::clone(&gateway);
    tokio::spawn(async move { serving.serve(vec![listener], tls).await });
    Between {
        gateway,
        counts,
        address,
    }
}

/// A raw listener and the gateway in front of it.
pub(super) async fn pair(setup: Setup) -> (TcpListener, Between) {
    let listener = listen_async();
    let between = gateway(listener.local_addr().unwrap(), setup).await;
    (listener, between)
}

/// One end of a raw connection, behind its opening handshake.
pub(super) struct Raw<S = TcpStream> {
    pub(super) stream: S,
    /// What was read and not looked at.
    pub(super) input: Vec<u8>,
    role: Role,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    pub(super) fn new(stream: S, role: Role) -> Self {
        let input = Vec::new();
        Self {
            stream,
            input,
            role,
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    /// Reads up to and with the empty line of an HTTP head.
    pub(super) async fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.input.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.input.split_off(at + 4);
                let head = std::mem::replace(&mut self.input, rest);
                return String::from_utf8(head).unwrap();
            }
            assert!(
                self.more().await,
                "ended in a head: {:?}",
                String::from_utf8_lossy(&self.input)
            );
        }
    }

    /// Reads once. Whether there was something.
    pub(super) async fn more(&mut self) -> bool {
        let read = soon(self.stream.read_buf(&mut self.input)).await;
        read.is_ok_and(|count| count > 0)
    }

    pub(super) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.input)
    }

    pub(super) async fn send(&mut self, opcode: Opcode, payload: &[u8]) {
        let frame = frame(self.role, opcode, payload);
        self.write(&frame).await;
    }

    pub(super) async fn text(&mut self, text: &str) {
        self.send(Opcode::Text, text.as_bytes()).await;
    }

    /// The next frame.
    pub(super) async fn frame(&mut self) -> Option<(Opcode, Vec<u8>)> {
        loop {
            let parsed = FrameHeader::parse(&self.input, self.role, true).unwrap();
            if let Some((header, at)) = parsed
                && self.input.len() as u64 >= at as u64 + header.length
            {
                let end = at + header.length as usize;
                let mut payload = self.input[at..end].to_vec();
                if let Some(key) = header.masking_key {
                    Mask::new(key).apply(&mut payload);
                }
                self.input.drain(..end);
                return Some((header.opcode, payload));
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The text of the next frame.
    pub(super) async fn recv(&mut self) -> String {
        match self.frame().await {
            Some((Opcode::Text, payload)) => String::from_utf8(payload).unwrap(),
            other => panic!("expected text, got {other:?}"),
        }
    }

    /// The code and reason of the next frame, a Close frame.
    pub(super) async fn closed(&mut self) -> (u16, String) {
        match self.frame().await {
            Some((Opcode::Close, payload)) => {
                let code = u16::from_be_bytes([payload[0], payload[1]]);
                (code, String::from_utf8(payload[2..].to_vec()).unwrap())
            }
            other => panic!("expected a Close frame, got {other:?}"),
        }
    }

    pub(super) async fn close(&mut self, code: u16) {
        self.send(Opcode::Close, &code.to_be_bytes()).await;
    }
}

/// A frame as `role` sends it.
pub(super) fn frame(role: Role, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let masking_key = (role == Role::Client).then_some([9, 8, 7, 6]);
    whole_frame(opcode, masking_key, payload)
}

/// The head of an opening handshake, with `lines` in it.
pub(super) fn request(lines: &str) -> String {
    format!(
        "GET /chat?a=b HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\n\
         Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\n{lines}\r\n"
    )
}

pub(super) async fn dial(address: SocketAddr) -> Raw {
    let stream = soon(TcpStream::connect(address)).await.unwrap();
    Raw::new(stream, Role::Client)
}

/// A client that has asked, and has no answer yet.
pub(super) async fn ask(address: SocketAddr, lines: &str) -> Raw {
    let mut client = dial(address).await;
    client.write(request(lines).as_bytes()).await;
    client
}

/// Takes the gateway's connection, and its request.
pub(super) async fn asked(listener: &TcpListener) -> (Raw, String) {
    let (stream, _) = soon(listener.accept()).await.unwrap();
    let mut backend = Raw::new(stream, Role::Server);
    let head = backend.head().await;
    (backend, head)
}

/// The value of a header field.
pub(super) fn field(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(field, _)| field.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_owned())
}

/// Accepts the request in `head`, with `lines` in the answer.
pub(super) async fn accepted<S>(backend: &mut Raw<S>, head: &str, lines: &str)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let key = field(head, "Sec-WebSocket-Key").expect("a key");
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{lines}\r\n",
        accept(&key)
    );
    backend.write(answer.as_bytes()).await;
}

/// Takes the gateway's connection and accepts it.
pub(super) async fn taken(listener: &TcpListener) -> (Raw, String) {
    let (mut backend, head) = asked(listener).await;
    accepted(&mut backend, &head, "").await;
    (backend, head)
}

/// A client and a backend, connected through the gateway.
pub(super) async fn connected(listener: &TcpListener, between: &Between) -> (Raw, Raw) {
    let mut client = ask(between.address, "").await;
    let (backend, _) = taken(listener).await;
    assert!(client.head().await.starts_with("HTTP/1.1 101 "));
    (client, backend)
}
