//! One `tracing` event and one call of the observer for every ending, whoever holds the connection.
//!
//! A binary of its own with a single test: the subscriber is that of the whole process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use revoir::{Acceptor, Cause, Client, Ending, Observer, Role};
use tokio::sync::Notify;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Keeps the fields of events at level info.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<String>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!("{field}={value:?} ");
    }
}

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "revoir" && *metadata.level() == Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What one side's observer was told.
#[derive(Debug, Default)]
struct Seen {
    opened: Mutex<usize>,
    causes: Mutex<Vec<Cause>>,
    ended: Notify,
}

impl Observer for Seen {
    fn opened(&self, _: Role) {
        *self.opened.lock().unwrap() += 1;
    }

    fn ended(&self, _: Role, ending: &Ending) {
        self.causes.lock().unwrap().push(ending.cause);
        self.ended.notify_one();
    }
}

#[tokio::test]
async fn dropped_handles_are_still_heard_of_once_at_each_side() {
    let kept = Arc::new(Kept::default());
    tracing::subscriber::set_global_default(Arc::clone(&kept)).unwrap();
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
    let events = kept.0.lock().unwrap();
    assert_eq!(events.len(), 2, "{events:?}");
    for role in ["client", "server"] {
        let event = events
            .iter()
            .find(|event| event.contains(&format!("role=\"{role}\"")));
        let event = event.unwrap();
        assert!(
            event.contains("cause=\"") && event.contains("clean=true"),
            "{event}"
        );
        assert!(event.contains("code=100"), "{event}");
    }
}
