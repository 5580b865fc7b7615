//! One `tracing` event and one call of the observer for every ending, whoever holds the connection,
//! and a span that says which connection it is about.
//!
//! A binary of its own: what is enabled is a matter of the whole process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use revoir::drain::Drain;
use revoir::{Acceptor, Cause, Client, ConnectionInfo, Ending, Observer, Server, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps the fields of events at level info, behind those of the spans around them.
#[derive(Debug, Default)]
struct Kept {
    spans: Mutex<Vec<String>>,
    events: Mutex<Vec<String>>,
}

thread_local! {
    /// The spans that this thread is in.
    static INSIDE: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!("{field}={value:?} ");
    }
}

impl Kept {
    /// A subscriber for this thread, where everything of a test runs.
    fn here() -> (Arc<Self>, DefaultGuard) {
        let kept = Arc::new(Self::default());
        let guard = tracing::subscriber::set_default(Arc::clone(&kept));
        (kept, guard)
    }

    fn events(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }
}

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::INFO
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields(format!("{}: ", attributes.metadata().name()));
        attributes.record(&mut fields);
        let mut spans = self.spans.lock().unwrap();
        spans.push(fields.0);
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let spans = self.spans.lock().unwrap();
        let around = INSIDE.with_borrow(|inside| inside.last().copied());
        let around = around.map_or("", |id| &spans[id as usize - 1]);
        let mut fields = Fields(around.to_owned());
        event.record(&mut fields);
        self.events.lock().unwrap().push(fields.0);
    }

    fn enter(&self, id: &Id) {
        INSIDE.with_borrow_mut(|inside| inside.push(id.into_u64()));
    }

    fn exit(&self, id: &Id) {
        let left = INSIDE.with_borrow_mut(Vec::pop);
        assert_eq!(left, Some(id.into_u64()));
    }
}

/// What one side's observer was told.
#[derive(Debug, Default)]
struct Seen {
    opened: Mutex<usize>,
    causes: Mutex<Vec<Cause>>,
    ended: Notify,
}

impl Observer for Seen {
    fn opened(&self, _: &ConnectionInfo<'_>) {
        *self.opened.lock().unwrap() += 1;
    }

    fn ended(&self, _: &ConnectionInfo<'_>, ending: &Ending) {
        self.causes.lock().unwrap().push(ending.cause);
        self.ended.notify_one();
    }
}

#[tokio::test]
async fn dropped_handles_are_still_heard_of_once_at_each_side() {
    let (kept, _guard) = Kept::here();
    let (at_client, at_server) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
    let (near, far) = tokio::io::duplex(4096);
    let client = Client::new().with_observer(Arc::clone(&at_client) as _);
    let acceptor = Acceptor::new().with_observer(Arc::clone(&at_server) as _);
    let connecting = client.connect_over("ws://localhost/", near);
    let (client, server) = tokio::join!(connecting, acceptor.accept(far));
    drop(server.unwrap());
    drop(client.unwrap());
    at_client.ended.notified().await;
    at_server.ended.notified().await;
    for seen in [&at_client, &at_server] {
        assert_eq!(*seen.opened.lock().unwrap(), 1);
        assert_eq!(seen.causes.lock().unwrap().len(), 1);
    }
    assert!(at_client.causes.lock().unwrap().contains(&Cause::Dropped));
    let events = kept.events();
    assert_eq!(events.len(), 2, "{events:?}");
    for role in ["client", "server"] {
        let event = events
            .iter()
            .find(|event| event.matches(&format!("role=\"{role}\"")).count() == 2);
        let event = event.unwrap();
        assert!(
            event.contains("cause=\"") && event.contains("clean=true"),
            "{event}"
        );
        assert!(event.contains("code=100"), "{event}");
    }
}

/// The number in `id=`.
fn id(event: &str) -> &str {
    let (_, behind) = event.split_once("connection: id=").unwrap();
    behind.split_once(' ').unwrap().0
}

#[tokio::test]
async fn what_a_handler_logs_says_which_connection_it_is() {
    let (kept, _guard) = Kept::here();
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/secret", server.local_addr().unwrap());
    let tracker = server.tracker().clone();
    let handler = |mut socket: WebSocket| {
        tracing::info!("called");
        async move {
            tracing::info!("polled");
            let message = socket.recv().await?;
            tracing::info!("woken");
            socket.send(message).await
        }
    };
    tokio::spawn(server.serve(handler));
    for _ in 0..2 {
        let mut socket = revoir::connect(&url).await.unwrap();
        socket.send_text("hello").await.unwrap();
        socket.recv().await.unwrap();
        // The handler has returned, so the server closes.
        socket.recv().await.unwrap_err();
    }
    // Waits until both are gone at the server as well.
    tracker.drain(Drain::restart()).await;
    let events = kept.events();
    assert!(!events.concat().contains("secret"), "{events:?}");
    let mut ids = Vec::new();
    for text in ["called", "polled", "woken", "1001 Going Away"] {
        let at_server = |event: &&String| event.contains("server") && event.contains(text);
        let said: Vec<_> = events.iter().filter(at_server).collect();
        assert_eq!(said.len(), 2, "{text}: {events:?}");
        for event in &said {
            assert!(event.contains("role=\"server\" peer=127.0.0.1:"), "{event}");
        }
        ids.push([id(said[0]), id(said[1])]);
    }
    assert!(ids.iter().all(|pair| *pair == ids[0]), "{ids:?}");
    assert_ne!(ids[0][0], ids[0][1]);
}

#[tokio::test]
async fn a_connection_that_did_not_open_has_a_span_at_either_side() {
    let (kept, _guard) = Kept::here();
    let (near, mut far) = tokio::io::duplex(4096);
    let accepting = revoir::accept(near);
    let asking = async {
        far.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        far.read_to_end(&mut Vec::new()).await.unwrap();
    };
    let (refused, ()) = tokio::join!(accepting, asking);
    assert_eq!(refused.unwrap_err().cause, Cause::HandshakeInvalid);
    let (near, far) = tokio::io::duplex(4096);
    drop(far);
    let url = "ws://[::1]:8080/";
    Client::new().connect_over(url, near).await.unwrap_err();
    let events = kept.events();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events[0].starts_with("connection: id="), "{events:?}");
    let client = "role=\"client\" peer=[::1]:8080";
    assert!(events[1].contains(client), "{events:?}");
}
