//! Sessions over memory, with paused time, and connections that fail.

mod between;
mod cuts;
mod ending;
mod judging;
mod line;
mod raw;
mod stored;

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use revoir::reconnect::LinkBuilder;
use revoir::session::{self, Accepted, Event, Principal, Reader, Session, SessionEnding, Writer};
use revoir::{Acceptor, Link, Message};
use tokio::sync::mpsc;

use crate::session::line::{Cable, Fault, Line};

/// A server that clients reach over cables.
struct Network {
    acceptor: Acceptor,
    server: Mutex<session::Server>,
    /// What becomes of the connections, the next one first.
    faults: Mutex<Vec<Fault>>,
    /// The last connection.
    cable: Mutex<Option<Cable>>,
    /// So long it is looked whether a session may begin.
    opens_after: Mutex<Duration>,
    sessions: mpsc::UnboundedSender<Session>,
}

/// The sessions that begin at the server.
type Begun = mpsc::UnboundedReceiver<Session>;

fn server() -> session::Server {
    session::Server::new(|incoming| match incoming.query() {
        Some(name) => Principal::of(name),
        None => Principal::NONE,
    })
}

fn network(server: session::Server) -> (Arc<Network>, Begun) {
    let (sessions, begun) = mpsc::unbounded_channel();
    let network = Network {
        acceptor: Acceptor::new(),
        server: Mutex::new(server),
        faults: Mutex::default(),
        cable: Mutex::default(),
        opens_after: Mutex::default(),
        sessions,
    };
    (Arc::new(network), begun)
}

impl Network {
    /// A connection to the server, whose handler hands its session to the test.
    fn dial(self: &Arc<Self>) -> Line {
        let fault = self.faults.lock().unwrap().pop();
        let (near, far, cable) = line::pair(fault);
        *self.cable.lock().unwrap() = Some(cable);
        let network = Arc::clone(self);
        tokio::spawn(async move {
            let acceptor = network.acceptor.clone();
            let decide = async |incoming| {
                let server = network.server.lock().unwrap().clone();
                let sessions = network.sessions.clone();
                let handler = move |session: Session| keep(session, sessions);
                let opens_after = *network.opens_after.lock().unwrap();
                if opens_after.is_zero() {
                    return server.run(incoming, handler);
                }
                server.run_as(incoming, Principal::NONE, move |_| async move {
                    tokio::time::sleep(opens_after).await;
                    Ok(Accepted::new(handler))
                })
            };
            let _ = acceptor.accept_incoming(far, decide).await;
        });
        near
    }

    /// A link to the server.
    fn link(self: &Arc<Self>) -> LinkBuilder {
        self.link_to("ws://a.example/")
    }

    fn link_to(self: &Arc<Self>, url: &str) -> LinkBuilder {
        let network = Arc::clone(self);
        Link::to(url).with_connector(move |_| {
            let line = network.dial();
            async move { Ok(line) }
        })
    }

    /// Cuts the connection that there is.
    fn cut(&self, fault: Fault) {
        let cable = self.cable.lock().unwrap().take();
        cable.unwrap().strike(fault);
    }
}

/// A handler that gives its session to the test, and runs as long as the test does.
async fn keep(
    session: Session,
    sessions: mpsc::UnboundedSender<Session>,
) -> Result<(), Arc<SessionEnding>> {
    // A test that is over takes none.
    let _ = sessions.send(session);
    sessions.closed().await;
    Ok(())
}

/// Runs as the application of one end: sends `count` numbered messages, and expects those of the other end. Whatever
/// says that a message is lost, doubled, out of order or in doubt fails the test.
async fn converse(session: Session, count: u32) -> (Reader, Writer) {
    let (mut reader, mut writer) = session.split();
    let sending = async {
        for number in 0..count {
            writer.send(numbered(number)).await.unwrap();
        }
        writer.flush().await.unwrap();
    };
    let receiving = async {
        let mut next = 0;
        while next < count {
            match reader.event().await.unwrap() {
                Event::Message { message, .. } => {
                    assert_eq!(message, numbered(next));
                    next += 1;
                }
                Event::Attached(attached) => assert!(!attached.verdict.is_fresh()),
                Event::Detached { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    };
    tokio::join!(sending, receiving);
    (reader, writer)
}

/// Text and binary, short and long.
fn numbered(number: u32) -> Message {
    match number % 3 {
        0 => Message::Text(format!("{number}").into()),
        1 => Message::Binary(number.to_be_bytes().to_vec().into()),
        _ => Message::Text(format!("{number} {}", "é".repeat(number as usize % 200)).into()),
    }
}

fn text(text: &str) -> Message {
    Message::Text(text.to_owned().into())
}

/// The next event that is not of connections coming and going.
async fn told(session: &mut Session) -> Event {
    loop {
        match session.event().await.unwrap() {
            Event::Attached(_) | Event::Detached { .. } => {}
            other => return other,
        }
    }
}

async fn within<F: Future>(limit: Duration, future: F) -> F::Output {
    tokio::time::timeout(limit, future).await.unwrap()
}

const HOUR: Duration = Duration::from_secs(3600);
