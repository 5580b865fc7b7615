//! A server of sessions.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use revoir::session::{self, Principal, Session, SessionEnding, Window};
use revoir::{Acceptor, Config, Message, Server};

/// Enough for a replay of 10,000 messages of 256 bytes.
pub(crate) const WINDOW: Window = Window {
    messages: 20_000,
    bytes: 16 * 1024 * 1024,
};

pub(crate) fn sessions() -> session::Server {
    session::Server::new(|_| Principal::NONE)
}

/// Pings after a second, so that silence is noticed soon.
pub(crate) fn quick(config: Config) -> Config {
    config.keepalive(Duration::from_secs(1), Duration::from_secs(1))
}

/// Serves with `handler` until this process ends; says where.
pub(crate) async fn start<F>(
    sessions: session::Server,
    handler: impl Fn(Session) -> F + Clone + Send + Sync + 'static,
) -> anyhow::Result<SocketAddr>
where
    F: Future<Output = Result<(), Arc<SessionEnding>>> + Send + 'static,
{
    let acceptor = Acceptor::new().with_config(quick(Config::server()));
    let server = Server::bind("127.0.0.1:0").await?.with_acceptor(acceptor);
    let address = server.local_addr()?;
    tokio::spawn(server.serve_incoming(move |incoming| {
        let response = sessions.run(incoming, handler.clone());
        async move { response }
    }));
    Ok(address)
}

/// The number that a message is.
pub(crate) fn number(message: &Message) -> Option<u64> {
    match message {
        Message::Text(text) => text.as_str().parse().ok(),
        Message::Binary(_) => None,
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
