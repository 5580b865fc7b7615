//! [`Callback`]: tells a backend that wants to know that the client of a session is away, or back.
//!
//! It is told over HTTP, one notice after the other: what it does not take is said once more, and what happens
//! to a session while its notice waits takes the place of that. So a backend that is slow, or away, is told less, and
//! never more than one notice for each session.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use http_body_util::{BodyExt, Limited};
use hyper::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::Client;
use serde::Serialize;
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::upstream::{Connector, NameTimes, UpstreamTls, chain};

/// Notices that wait at most: beyond that new ones are left out.
const MOST: usize = 10_000;

/// After a notice that was not taken.
const PAUSE: Duration = Duration::from_secs(1);

/// The most of an answer's body that is read, so that its connection can be kept.
const BODY_BYTES: usize = 64 * 1024;

/// Whom a route tells of its sessions, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct CallbackSettings {
    /// What is posted to, over `http` or `https`.
    pub uri: Uri,
    /// For one answer.
    pub limit: Duration,
    /// For `https`.
    pub trust: Option<UpstreamTls>,
    /// How long the addresses of its name hold.
    pub names: NameTimes,
}

/// What became of the client of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Presence {
    /// It is away, and its session goes on.
    Detached,
    /// It is back.
    Resumed,
}

/// What is said of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Notice {
    event: Presence,
    /// As in Revoir-Conn.
    connection: Arc<str>,
    /// When that was seen.
    time: String,
    /// Whether it was said before, in vain.
    is_again: bool,
}

impl Notice {
    /// The fields are API: docs/gateway.md lists them.
    fn to_json(&self) -> String {
        let Self {
            event,
            connection,
            time,
            is_again: _,
        } = self;
        json!({"event": event, "connection": &**connection, "time": time}).to_string()
    }
}

/// Tells one backend of the sessions of a route.
pub(crate) struct Callback {
    queue: Arc<NoticeQueue>,
    task: AbortHandle,
}

/// What waits to be told.
#[derive(Debug, Default)]
struct NoticeQueue {
    waiting: Mutex<Notices>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Notices {
    order: VecDeque<Arc<str>>,
    notices: HashMap<Arc<str>, Notice>,
    /// So many were left out since that was last said.
    left_out: u64,
}

impl Callback {
    /// To be called in a runtime.
    pub(crate) fn start(settings: &CallbackSettings, route: &Arc<str>) -> Arc<Self> {
        let queue = Arc::<NoticeQueue>::default();
        let teller = Teller::new(settings, route);
        let task = tokio::spawn(teller.tell(Arc::clone(&queue))).abort_handle();
        Arc::new(Self { queue, task })
    }

    /// Has it told what became of the client of this connection, without waiting.
    pub(crate) fn notify(&self, connection: &Arc<str>, event: Presence) {
        let notice = Notice {
            event,
            connection: Arc::clone(connection),
            time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
            is_again: false,
        };
        self.queue.waiting().add(notice);
        self.queue.added.notify_one();
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

impl NoticeQueue {
    fn waiting(&self) -> MutexGuard<'_, Notices> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notices {
    fn add(&mut self, notice: Notice) {
        let connection = Arc::clone(&notice.connection);
        if let Some(waiting) = self.notices.get_mut(&connection) {
            *waiting = notice;
        } else if self.order.len() < MOST {
            self.order.push_back(Arc::clone(&connection));
            self.notices.insert(connection, notice);
        } else {
            self.left_out += 1;
        }
    }

    /// One that was not taken waits once more, unless there is news of its client.
    fn put_back(&mut self, notice: Notice) {
        if !notice.is_again && !self.notices.contains_key(&notice.connection) {
            self.add(Notice {
                is_again: true,
                ..notice
            });
        }
    }

    fn take(&mut self) -> Option<Notice> {
        self.notices.remove(&self.order.pop_front()?)
    }
}

/// Posts what waits.
struct Teller {
    client: Client<Connector, Body>,
    uri: Uri,
    limit: Duration,
    route: Arc<str>,
}

impl Teller {
    fn new(settings: &CallbackSettings, route: &Arc<str>) -> Self {
        let trust = settings.trust.as_ref();
        Self {
            client: Connector::client_of_service(settings.limit, settings.names, trust, 1),
            uri: settings.uri.clone(),
            limit: settings.limit,
            route: Arc::clone(route),
        }
    }

    /// Goes on until it is aborted.
    async fn tell(self, queue: Arc<NoticeQueue>) {
        let mut has_failed = false;
        let mut says_next = Instant::now();
        loop {
            let route = &*self.route;
            let notice = queue.waiting().take();
            if says_next <= Instant::now() {
                let left_out = std::mem::take(&mut queue.waiting().left_out);
                if left_out > 0 {
                    says_next = Instant::now() + PAUSE;
                    tracing::warn!(target: "revoir", route, left_out, "the callback of sessions is too slow");
                }
            }
            let Some(notice) = notice else {
                queue.added.notified().await;
                continue;
            };
            match self.post(&notice).await {
                Ok(()) => has_failed = false,
                Err(error) => {
                    // One line until it takes something again.
                    if !std::mem::replace(&mut has_failed, true) {
                        tracing::warn!(target: "revoir", route, error, "the callback of sessions does not take a notice");
                    }
                    queue.waiting().put_back(notice);
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Says one thing, once.
    async fn post(&self, notice: &Notice) -> Result<(), String> {
        let mut request = Request::new(Body::from(notice.to_json()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, json);
        let name = HeaderValue::from_static("revoir");
        request.headers_mut().insert(USER_AGENT, name);
        let asking = async {
            let response = self.client.request(request).await;
            let response = response.map_err(|error| chain(&error))?;
            let status = response.status();
            // Read to its end, its connection is good for the next one.
            let _ = Limited::new(response.into_body(), BODY_BYTES)
                .collect()
                .await;
            match status.is_success() {
                true => Ok(()),
                false => Err(format!("it answers with {status}")),
            }
        };
        match timeout(self.limit, asking).await {
            Ok(told) => told,
            Err(_) => Err("it does not answer in time".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(connection: &str, event: Presence) -> Notice {
        Notice {
            event,
            connection: connection.into(),
            time: String::new(),
            is_again: false,
        }
    }

    #[test]
    fn what_is_not_taken_waits_once_more_unless_there_is_news() {
        let mut waiting = Notices::default();
        waiting.put_back(notice("a", Presence::Detached));
        let again = waiting.take().unwrap();
        assert!(again.is_again);
        waiting.put_back(again);
        assert_eq!(waiting.take(), None);
        waiting.add(notice("a", Presence::Resumed));
        waiting.put_back(notice("a", Presence::Detached));
        assert_eq!(waiting.take(), Some(notice("a", Presence::Resumed)));
        assert_eq!(waiting.take(), None);
    }

    #[test]
    fn what_waits_is_the_last_of_each_session_and_bounded() {
        let mut waiting = Notices::default();
        waiting.add(notice("a", Presence::Detached));
        waiting.add(notice("b", Presence::Detached));
        waiting.add(notice("a", Presence::Resumed));
        assert_eq!(waiting.take(), Some(notice("a", Presence::Resumed)));
        assert_eq!(waiting.take(), Some(notice("b", Presence::Detached)));
        assert_eq!(waiting.take(), None);
        for number in 0..MOST {
            waiting.add(notice(&number.to_string(), Presence::Detached));
        }
        waiting.add(notice("too many", Presence::Detached));
        assert_eq!(waiting.left_out, 1);
        // Those that wait are told what is so by now.
        waiting.add(notice("0", Presence::Resumed));
        assert_eq!(waiting.take(), Some(notice("0", Presence::Resumed)));
        assert_eq!(waiting.order.len(), MOST - 1);
        assert_eq!(waiting.notices.len(), MOST - 1);
    }
}
