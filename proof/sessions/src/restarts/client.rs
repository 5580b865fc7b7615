//! A client with a session.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use revoir::reconnect::Rule;
use revoir::session::{self, Event, Session};
use revoir::{Cause, Link, Message, Policy};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::interval;

use super::talk::{PACE, SharedTalk};
use crate::server::{locked, number};

/// Longer than the end of a gateway takes.
const TTL: Duration = Duration::from_secs(120);

pub(super) struct Client {
    pub(super) talk: SharedTalk,
    is_over: Arc<AtomicBool>,
    told: Arc<Notify>,
}

impl Client {
    /// One that comes to the gateway which there is at the time.
    pub(super) fn start(
        at: &watch::Receiver<SocketAddr>,
        path: &str,
        (name, talk): (String, SharedTalk),
    ) -> anyhow::Result<Self> {
        let at = at.clone();
        let soon = Duration::from_millis(20)..=Duration::from_millis(60);
        let lost = [
            Cause::Eof,
            Cause::Reset,
            Cause::WriteFailed,
            Cause::Refused,
            Cause::HandshakeEof,
            Cause::HandshakeReset,
        ];
        let policy = lost.into_iter().fold(Policy::new(), |policy, cause| {
            policy.with_rule(Rule::cause(cause).with_delay(soon.clone()))
        });
        let link = Link::to(&format!("ws://gateway.example{path}?{name}"))
            .with_policy(policy)
            .with_connector(move |_| {
                let address = *at.borrow();
                TcpStream::connect(address)
            });
        let session = session::Client::new().with_ttl(TTL).start(link)?;
        let client = Self {
            talk,
            is_over: Arc::default(),
            told: Arc::default(),
        };
        let (talk, told) = (Arc::clone(&client.talk), Arc::clone(&client.told));
        tokio::spawn(converse(session, talk, told, Arc::clone(&client.is_over)));
        Ok(client)
    }

    /// It says nothing more.
    pub(super) fn stop(&self) {
        self.is_over.store(true, Relaxed);
    }

    pub(super) fn verdicts(&self) -> u64 {
        locked(&self.talk.at_client).verdicts.len() as u64
    }

    pub(super) async fn has_verdicts(&self, count: u64) {
        loop {
            let told = self.told.notified();
            if self.verdicts() >= count {
                return;
            }
            told.await;
        }
    }
}

async fn converse(
    mut session: Session,
    talk: SharedTalk,
    told: Arc<Notify>,
    is_over: Arc<AtomicBool>,
) {
    let mut ticks = interval(PACE);
    loop {
        tokio::select! {
            _ = ticks.tick(), if !is_over.load(Relaxed) => {
                let mut said = locked(&talk.at_client);
                let message = Message::Text(said.sent.to_string().into());
                // At a full window the next tick tries again.
                if session.try_send(&message).is_ok() {
                    said.sent += 1;
                }
            }
            event = session.event() => match event {
                Some(event) => hear(event, &talk, &told),
                None => return,
            }
        }
    }
}

fn hear(event: Event, talk: &SharedTalk, told: &Notify) {
    let mut heard = locked(&talk.at_client);
    let now = Instant::now();
    match event {
        Event::Message { message, .. } => heard.got.extend(number(&message)),
        Event::Attached(attached) => {
            heard.verdicts.push((now, attached.verdict.id()));
            heard.missing.extend(attached.lost.map(|lost| (now, lost)));
            told.notify_waiters();
        }
        Event::Gap { count, .. } => heard.missing.push((now, count)),
        Event::Returned { message, .. } => heard.returned.extend(number(&message)),
        Event::BackendChanged(change) => heard.changes.push((now, change.maybe_lost)),
        _ => {}
    }
}
