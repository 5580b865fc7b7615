//! A client by hand: the protocol's value over any number of connections.

use std::sync::Arc;
use std::time::Duration;

use revoir::session::SUBPROTOCOL;
use revoir::{Client, Ending, Message, WebSocket};
use revoir_session::{Config, Event, Outgoing, Session};

use super::Network;

const NOW: Duration = Duration::ZERO;

pub(crate) struct Raw {
    pub(crate) session: Session,
}

impl Raw {
    pub(crate) fn new() -> Self {
        Self {
            session: Session::client(NOW, Config::default()),
        }
    }

    /// A connection that has said nothing.
    pub(crate) async fn open(network: &Arc<Network>, query: &str) -> WebSocket {
        let client = Client::new().with_subprotocol(SUBPROTOCOL);
        let url = format!("ws://a.example/{query}");
        client.connect_over(url, network.dial()).await.unwrap()
    }

    /// Says HELLO on another connection.
    pub(crate) async fn ask(&mut self, network: &Arc<Network>, query: &str) -> WebSocket {
        let mut socket = Self::open(network, query).await;
        self.session.connect(NOW, None, None).unwrap();
        self.write(&mut socket).await;
        socket
    }

    /// The same, and takes WELCOME.
    pub(crate) async fn connect(&mut self, network: &Arc<Network>, query: &str) -> WebSocket {
        let mut socket = self.ask(network, query).await;
        self.read(&mut socket).await.unwrap();
        socket
    }

    /// Writes what there is to write.
    pub(crate) async fn write(&mut self, socket: &mut WebSocket) {
        while let Some(transmit) = self.session.poll_transmit(NOW) {
            if let Outgoing::Message(message) = transmit.outgoing {
                socket.send(to_socket(message)).await.unwrap();
            }
        }
    }

    /// Takes one message.
    pub(crate) async fn read(&mut self, socket: &mut WebSocket) -> Result<(), Arc<Ending>> {
        let message = match socket.recv().await? {
            Message::Text(text) => revoir_session::Message::Text(text.into_bytes()),
            Message::Binary(bytes) => revoir_session::Message::Binary(bytes),
        };
        let id = self.session.connection().unwrap();
        self.session.handle_message(NOW, id, message);
        Ok(())
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.session.poll_event()).collect()
    }

    /// The verdict of the last WELCOME.
    pub(crate) fn verdict(&mut self) -> &'static str {
        let welcomes = self
            .events()
            .into_iter()
            .rev()
            .find_map(|event| match event {
                Event::Welcome(welcome) => Some(welcome.verdict.id()),
                _ => None,
            });
        welcomes.unwrap()
    }
}

fn to_socket(message: revoir_session::Message) -> Message {
    match message {
        revoir_session::Message::Text(text) => Message::Text(text.try_into().unwrap()),
        revoir_session::Message::Binary(bytes) => Message::Binary(bytes),
    }
}
