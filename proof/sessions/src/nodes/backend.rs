//! [`Service`]: a backend that remembers each client, whatever connection it has.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use revoir::{Acceptor, Config, Ending, Message, Server, WebSocket};
use tokio::time::{MissedTickBehavior, interval};

use crate::server::{locked, number};

/// What a backend has said to one client, and heard.
#[derive(Debug, Default)]
pub(super) struct Talk {
    pub(super) sent: u64,
    pub(super) got: Vec<u64>,
}

pub(super) type SharedTalk = Arc<Mutex<Talk>>;

pub(super) struct Service {
    pub(super) address: SocketAddr,
    talks: Arc<Mutex<HashMap<String, SharedTalk>>>,
    is_over: Arc<AtomicBool>,
}

impl Service {
    pub(super) async fn start(at: IpAddr, pace: Duration) -> anyhow::Result<Self> {
        let acceptor = Acceptor::new().with_config(Config::server());
        let server = Server::bind((at, 0)).await?.with_acceptor(acceptor);
        let address = server.local_addr()?;
        let talks: Arc<Mutex<HashMap<String, SharedTalk>>> = Arc::default();
        let known = Arc::clone(&talks);
        let is_over = Arc::<AtomicBool>::default();
        let ends = Arc::clone(&is_over);
        tokio::spawn(server.serve_incoming(move |incoming| {
            let name = incoming.query().unwrap_or_default().to_owned();
            let talk = locked(&known).get(&name).cloned().unwrap_or_default();
            let ends = Arc::clone(&ends);
            let response = incoming.run(move |socket| converse(socket, talk, pace, ends));
            async move { response }
        }));
        Ok(Self {
            address,
            talks,
            is_over,
        })
    }

    /// It says nothing more.
    pub(super) fn stop(&self) {
        self.is_over.store(true, Relaxed);
    }

    /// Another client, and the query by which it is known.
    pub(super) fn talk(&self) -> (String, SharedTalk) {
        let mut talks = locked(&self.talks);
        let name = format!("c={}", talks.len());
        let talk = SharedTalk::default();
        talks.insert(name.clone(), Arc::clone(&talk));
        (name, talk)
    }
}

async fn converse(
    mut socket: WebSocket,
    talk: SharedTalk,
    pace: Duration,
    is_over: Arc<AtomicBool>,
) -> Result<(), Arc<Ending>> {
    let mut ticks = interval(pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick(), if !is_over.load(Relaxed) => {
                let number = {
                    let mut said = locked(&talk);
                    said.sent += 1;
                    said.sent - 1
                };
                socket.send(Message::Text(number.to_string().into())).await?;
            }
            message = socket.recv() => {
                if let Some(number) = number(&message?) {
                    locked(&talk).got.push(number);
                }
            }
        }
    }
}
