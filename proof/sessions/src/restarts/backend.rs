//! A backend that remembers each client, whatever connection it has.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use revoir::{Acceptor, Config, Ending, Message, Server, WebSocket};
use tokio::time::interval;

use super::talk::{PACE, SharedTalk};
use crate::server::{locked, number};

pub(super) struct Backend {
    pub(super) address: SocketAddr,
    talks: Arc<Mutex<HashMap<String, SharedTalk>>>,
}

impl Backend {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let acceptor = Acceptor::new().with_config(Config::server());
        let server = Server::bind("127.0.0.1:0").await?.with_acceptor(acceptor);
        let address = server.local_addr()?;
        let talks: Arc<Mutex<HashMap<String, SharedTalk>>> = Arc::default();
        let known = Arc::clone(&talks);
        tokio::spawn(server.serve_incoming(move |incoming| {
            let name = incoming.query().unwrap_or_default().to_owned();
            let talk = locked(&known).get(&name).cloned().unwrap_or_default();
            let response = incoming.run(move |socket| converse(socket, talk));
            async move { response }
        }));
        Ok(Self { address, talks })
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

/// Says something at each tick, and hears all that comes, also what came before the connection broke.
async fn converse(socket: WebSocket, talk: SharedTalk) -> Result<(), Arc<Ending>> {
    let (mut reader, mut writer) = socket.split();
    let speaking = async {
        let mut ticks = interval(PACE);
        loop {
            ticks.tick().await;
            let number = locked(&talk.at_backend).next();
            writer
                .send(Message::Text(number.to_string().into()))
                .await?;
            // One that never left was not said.
            writer.flush().await?;
            locked(&talk.at_backend).sent.push((number, Instant::now()));
        }
    };
    let hearing = async {
        loop {
            if let Some(number) = number(&reader.recv().await?) {
                locked(&talk.at_backend).got.push(number);
            }
        }
    };
    let (spoke, heard): (Result<(), Arc<Ending>>, Result<(), Arc<Ending>>) =
        tokio::join!(speaking, hearing);
    spoke.and(heard)
}
