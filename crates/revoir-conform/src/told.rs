//! What adapters say: one JSON object a line (`conformance/adapters/README.md`).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// One line of an adapter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// `ready`, `hello`, `opened`, `message`, `refused`, `error` or `closed`.
    pub event: String,
    /// The path of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The port of a server that is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The close code that the API gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// The close reason that the API gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the API says that the end was clean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean: Option<bool>,
    /// `text` or `binary`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The length of a message in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// A message, or what an error says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Everything else that was said: `how`, `class`, `errno`, `status`, `ms`.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
    /// When the suite heard it, in milliseconds since the connection began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<u64>,
}

impl Event {
    /// An event of a connection.
    #[must_use]
    pub fn new(event: &str, at: &str) -> Self {
        Self {
            event: event.to_owned(),
            at: Some(at.to_owned()),
            ..Self::default()
        }
    }

    /// Whether anything in it contains this.
    pub(crate) fn says(&self, what: &str) -> bool {
        let what = what.to_lowercase();
        // The path has the name of the case, and times are numbers as well.
        let mut said = Self {
            at: None,
            heard: None,
            ..self.clone()
        };
        said.rest.remove("ms");
        serde_json::to_string(&said).is_ok_and(|line| line.to_lowercase().contains(&what))
    }

    /// Whether it says by itself that something went wrong.
    pub(crate) fn is_of_failure(&self) -> bool {
        let has = |field: &str| self.rest.get(field).is_some_and(|value| !value.is_null());
        match &*self.event {
            "error" => true,
            "closed" => {
                self.clean == Some(false)
                    || self.text.is_some()
                    || ["class", "errno", "status"].into_iter().any(has)
            }
            _ => false,
        }
    }
}

/// Everything that adapters have said, by connection.
#[derive(Debug, Default)]
pub struct Told {
    events: Mutex<HashMap<String, Vec<(Instant, Event)>>>,
    more: Notify,
}

impl Told {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<(Instant, Event)>>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event. One that names no connection belongs to the adapter: the empty path.
    pub fn tell(&self, event: Event) {
        let at = event.at.clone().unwrap_or_default();
        self.lock()
            .entry(at)
            .or_default()
            .push((Instant::now(), event));
        self.more.notify_waiters();
    }

    /// A connection by a path that has been used begins anew.
    pub(crate) fn forget(&self, at: &str) {
        self.lock().remove(at);
    }

    /// What was said of a connection so far; `heard` counts from `begin`.
    #[must_use]
    pub fn of(&self, at: &str, begin: Instant) -> Vec<Event> {
        let events = self.lock();
        let told = events.get(at).map(Vec::as_slice).unwrap_or_default();
        let told = told.iter().map(|(when, event)| Event {
            heard: Some(u64::try_from((*when - begin).as_millis()).unwrap_or(u64::MAX)),
            ..event.clone()
        });
        told.collect()
    }

    /// What an adapter says of itself.
    #[must_use]
    pub fn hello(&self) -> Option<Event> {
        let events = self.lock();
        let own = events.get("")?.iter().rev();
        own.map(|(_, event)| event)
            .find(|event| event.event == "hello")
            .cloned()
    }

    /// Waits until such an event was told, or until the deadline. Says whether it was.
    pub async fn wait(&self, at: &str, event: &str, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let more = self.more.notified();
            tokio::pin!(more);
            // Enabled before looking, so that nothing is told in between.
            more.as_mut().enable();
            if self
                .lock()
                .get(at)
                .is_some_and(|told| told.iter().any(|(_, told)| told.event == event))
            {
                return true;
            }
            if timeout_at(deadline, more).await.is_err() {
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Event;

    #[test]
    fn the_path_and_the_times_say_nothing() {
        let mut closed = Event::new("closed", "/opening.client.status-404/1");
        closed.heard = Some(404);
        closed.rest.insert("ms".to_owned(), 404.into());
        assert!(!closed.says("404"));
        closed.rest.insert("status".to_owned(), 404.into());
        assert!(closed.says("404"));
    }

    #[test]
    fn a_failure_is_told_in_several_ways() {
        assert!(!Event::new("opened", "/").is_of_failure());
        assert!(Event::new("error", "/").is_of_failure());
        let mut closed = Event::new("closed", "/");
        assert!(!closed.is_of_failure());
        closed
            .rest
            .insert("class".to_owned(), serde_json::Value::Null);
        assert!(!closed.is_of_failure());
        closed.rest.insert("status".to_owned(), 502.into());
        assert!(closed.is_of_failure());
    }
}
