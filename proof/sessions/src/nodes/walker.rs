//! [`Walker`]: a client with a session, which goes from one gateway to the next.

use std::net::Shutdown;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use revoir::session::{self, Event, Session, Verdict};
use revoir::{Link, Message};
use socket2::Socket;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::backend::SharedTalk;
use super::node::Roads;
use super::phase::Phase;
use crate::coming_back;
use crate::server::{locked, number};

/// So soon a client comes back.
const SOON: RangeInclusive<Duration> = Duration::from_millis(20)..=Duration::from_millis(60);

const TTL: Duration = Duration::from_secs(120);

/// A connection that a session got.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) phase: Phase,
    pub(super) verdict: Verdict,
    /// Since the connection before was lost.
    pub(super) took: Duration,
    /// Whether the client knew that its session was only in the memory of the node before.
    pub(super) was_volatile: bool,
    /// Whether that node is this one.
    pub(super) stays: bool,
}

/// What a client has said, heard and been told.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) sent: u64,
    pub(super) got: Vec<u64>,
    pub(super) returned: Vec<u64>,
    pub(super) arrivals: Vec<Arrival>,
    /// Messages that will not come, at most.
    pub(super) missing: u64,
    /// Messages that a backend may not have read.
    pub(super) maybe_lost: u64,
    /// In each phase, how often a connection was lost.
    pub(super) lost: Vec<Phase>,
}

/// The way to the node where a client is.
#[derive(Default)]
struct Way {
    node: AtomicUsize,
    socket: Mutex<Option<Socket>>,
}

pub(super) struct Walker {
    pub(super) talk: SharedTalk,
    pub(super) heard: Arc<Mutex<Heard>>,
    way: Arc<Way>,
    is_over: Arc<AtomicBool>,
}

impl Walker {
    pub(super) fn start(
        roads: &Arc<Roads>,
        (name, talk): (String, SharedTalk),
        pace: Duration,
    ) -> anyhow::Result<Self> {
        let way = Arc::<Way>::default();
        let (roads_of_link, way_of_link) = (Arc::clone(roads), Arc::clone(&way));
        let link = Link::to(&format!("ws://gateway.example/?{name}"))
            .with_policy(coming_back::within(&SOON))
            .with_connector(move |_| {
                let (node, address) = roads_of_link.any();
                let way = Arc::clone(&way_of_link);
                async move {
                    let stream = TcpStream::connect(address).await?;
                    let socket = socket2::SockRef::from(&stream).try_clone()?;
                    way.node.store(node, Relaxed);
                    *locked(&way.socket) = Some(socket);
                    Ok(stream)
                }
            });
        let session = session::Client::new().with_ttl(TTL).start(link)?;
        let walker = Self {
            talk,
            heard: Arc::default(),
            way,
            is_over: Arc::default(),
        };
        let walk = Walk {
            roads: Arc::clone(roads),
            heard: Arc::clone(&walker.heard),
            way: Arc::clone(&walker.way),
            since: Instant::now(),
            was_volatile: false,
            before: None,
        };
        tokio::spawn(walk.run(session, pace, Arc::clone(&walker.is_over)));
        Ok(walker)
    }

    pub(super) fn has_begun(&self) -> bool {
        !locked(&self.heard).arrivals.is_empty()
    }

    pub(super) fn is_at(&self, node: usize) -> bool {
        self.way.node.load(Relaxed) == node
    }

    /// Its connection breaks.
    pub(super) fn lose_connection(&self) {
        if let Some(socket) = &*locked(&self.way.socket) {
            // One that is gone is gone.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// It says nothing more.
    pub(super) fn stop(&self) {
        self.is_over.store(true, Relaxed);
    }
}

struct Walk {
    roads: Arc<Roads>,
    heard: Arc<Mutex<Heard>>,
    way: Arc<Way>,
    /// When the connection before was lost.
    since: Instant,
    was_volatile: bool,
    /// The node that had the session.
    before: Option<usize>,
}

impl Walk {
    async fn run(mut self, mut session: Session, pace: Duration, is_over: Arc<AtomicBool>) {
        let watcher = session.watcher();
        let mut ticks = interval(pace);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick(), if !is_over.load(Relaxed) => {
                    let mut heard = locked(&self.heard);
                    let message = Message::Text(heard.sent.to_string().into());
                    // At a full window the next tick tries again.
                    if session.try_send(&message).is_ok() {
                        heard.sent += 1;
                    }
                }
                event = session.event() => match event {
                    Some(event) => {
                        self.hear(event);
                        if session.is_attached() {
                            self.was_volatile = watcher.status().is_volatile;
                        }
                    }
                    None => return,
                }
            }
        }
    }

    fn hear(&mut self, event: Event) {
        let mut heard = locked(&self.heard);
        match event {
            Event::Message { message, .. } => heard.got.extend(number(&message)),
            Event::Attached(attached) => {
                let node = self.way.node.load(Relaxed);
                heard.arrivals.push(Arrival {
                    phase: self.roads.phase(),
                    verdict: attached.verdict,
                    took: self.since.elapsed(),
                    was_volatile: self.was_volatile,
                    stays: self.before == Some(node),
                });
                self.before = Some(node);
                heard.missing += attached.lost.unwrap_or(0);
            }
            // Of several tries in vain the first counts.
            Event::Detached { .. } if heard.lost.len() < heard.arrivals.len() => {
                self.since = Instant::now();
                heard.lost.push(self.roads.phase());
            }
            Event::Gap { count, .. } => heard.missing += count,
            Event::Returned { message, .. } => heard.returned.extend(number(&message)),
            Event::BackendChanged(change) => heard.maybe_lost += change.maybe_lost,
            _ => {}
        }
    }
}
